"""Helpers for tests of the workers: which processes serve which queue, and which jobs wait."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

import redis
from flask import Flask
from rq import Queue
from rq.results import Result

from devtools.reaper import descendants
from myukm.queues import jobs
from myukm.queues.enqueue import enqueue
from myukm.queues.restricted_job import RestrictedJob
from myukm.queues.workers import QueueSnapshot, snapshot
from tests.support.programs import Program
from tests.support.waiting import wait_until

QUEUES = jobs.QUEUES
WORKER = ("python", "worker.py")


def snapshot_now(app: Flask) -> QueueSnapshot:
    """Return the current workers and backlogs, not those that the program caches for a second.

    It retries, because on a busy machine Valkey may answer after the program's time-out.
    """

    def read() -> QueueSnapshot | None:
        app.extensions.pop("ttl_cache:myukm.queues.workers.snapshot", None)
        with suppress(redis.RedisError):
            return snapshot()
        return None

    with app.app_context():
        found = wait_until(read, 30, "Valkey answers")
    assert found
    return found


def serving(app: Flask) -> set[str]:
    """Return the queues that a living worker listens to now."""
    now = snapshot_now(app)
    return {name for name in QUEUES if now.workers_for(name)}


def wait_serving(app: Flask, names: Sequence[str] = QUEUES, timeout: float = 30) -> None:
    """Wait until exactly these queues are served."""
    wait_until(lambda: serving(app) == set(names), timeout, f"workers on {names}")


def answering_worker(app: Flask, name: str, timeout: float = 10) -> str:
    """Send a job that does nothing through a queue and return the name of its worker.

    Raises AssertionError if the job fails, or has no result after `timeout` seconds.
    """
    with app.app_context():
        job_id = enqueue("myukm.jobs.upkeep.ping", to=name)
        assert job_id
        job = RestrictedJob(job_id, connection=app.extensions["valkey"])
        found = wait_until(job.latest_result, timeout, f"an answer on {name}")
    assert found.type is Result.Type.SUCCESSFUL, found.exc_string
    return str(found.return_value)


def pid_of(app: Flask, name: str) -> int:
    """Return the id of the process that listens to a queue, once there is exactly one."""

    def the_one() -> int | None:
        workers = snapshot_now(app).workers_for(name)
        return workers[0].pid if len(workers) == 1 else None

    return wait_until(the_one, 30, f"one process listens to {name}") or 0


def job_process(worker_pid: int) -> int:
    """Return the id of the process in which a forking worker runs its job."""
    children: Callable[[], list[int]] = lambda: list(descendants(worker_pid))  # noqa: E731
    return wait_until(children, 30, "a job's process")[0]


def gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def supervisor(program: Program) -> int:
    """Return the process id of `worker.py` itself, below its reaper."""
    return wait_until(lambda: next(iter(_children(program.child.pid)), 0), 30, "worker.py")


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]


def waiting(client: redis.Redis, name: str) -> list[str]:
    """Return the ids of the jobs that wait in a queue."""
    return [str(job) for job in Queue(name, connection=client).get_job_ids()]


def kill(pid: int, number: int) -> None:
    """Send a signal."""
    os.kill(pid, number)
