"""A paused queue: no worker begins a job of it, and none is lost, doubled or out of order."""

import time
from collections.abc import Callable

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.job import Job

from myukm.db.types import utcnow
from myukm.domain import activity, queue_pauses
from myukm.domain.actor import Actor
from myukm.queues import failed_jobs, pauses
from myukm.queues.enqueue import enqueue, get_queue, remove_jobs
from myukm.queues.restricted_job import RestrictedJob
from tests.conftest import every_database
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, wait_serving

Start = Callable[..., Program]
PING = "myukm.jobs.upkeep.ping"
SOMEBODY = Actor("Siti Rahma")
WORKERS = [("rq", "worker", "high"), ("rq", "worker", "high", "default"), (*WORKER, "high")]


def pings(app: Flask, count: int, **options: str) -> list[str]:
    """Enqueue `count` jobs that do nothing in `high`, as the program does, and return their ids."""
    with app.app_context():
        return [str(enqueue(PING, to="high", **options)) for _ in range(count)]


def plain_ping(valkey: redis.Redis) -> str:
    """Enqueue such a job as another program does, and return its id."""
    return str(Queue("high", connection=valkey).enqueue(PING).id)


def pause(app: Flask) -> None:
    """Pause `high`."""
    with app.app_context():
        assert queue_pauses.pause(SOMEBODY, "high")


def resume(app: Flask) -> None:
    """Resume `high`."""
    with app.app_context():
        assert queue_pauses.resume(SOMEBODY, "high")


def ids(app: Flask) -> list[str]:
    """Return the ids of the jobs that wait in `high`, parked or not."""
    with app.app_context():
        return get_queue("high").get_job_ids()


def parked(valkey: redis.Redis) -> list[str]:
    """Return the ids of the jobs of `high` that no worker can take."""
    return [job_id.decode() for job_id in valkey.lrange("myukm:parking:high", 0, -1)]


def status(valkey: redis.Redis, job_id: str) -> str:
    """Return the state of a job."""
    return str(Job(job_id, connection=valkey).get_status().value)


def in_order_of_start(valkey: redis.Redis, job_ids: list[str]) -> list[str]:
    """Return the jobs in the order in which they started."""
    jobs = Job.fetch_many(job_ids, connection=valkey)
    return [job.id for job in sorted(jobs, key=lambda job: job.started_at)]  # type: ignore


@pytest.mark.parametrize("worker", WORKERS, ids=" ".join)
def test_no_worker_begins_a_job_until_it_is_resumed(
    app: Flask, start: Start, valkey: redis.Redis, worker: tuple[str, ...]
) -> None:
    before = pings(app, 2)
    pause(app)
    program = start(*worker)
    served = ["high", "default"] if "default" in worker else ["high"]
    wait_serving(app, served)
    after = pings(app, 2)
    other = plain_ping(valkey)
    every = [*before, *after, other]
    wait_until(lambda: parked(valkey) == every, 30, "all wait in their order")
    assert not valkey.exists("rq:queue:high:intermediate")
    assert {status(valkey, job_id) for job_id in every} == {"queued"}
    resume(app)
    wait_until(lambda: {status(valkey, each) for each in every} == {"finished"}, 30, "all done")
    assert in_order_of_start(valkey, every) == every
    assert program.child.running()


def test_a_waiting_worker_takes_a_job_when_the_queue_is_resumed(
    app: Flask, start: Start, valkey: redis.Redis
) -> None:
    pause(app)
    start("rq", "worker", "high")
    wait_serving(app, ["high"])
    [job_id] = pings(app, 1)
    resume(app)
    wait_until(lambda: status(valkey, job_id) == "finished", 30, "done")


def test_jobs_that_other_programs_enqueue_are_parked(app: Flask, valkey: redis.Redis) -> None:
    first = pings(app, 1)
    pause(app)
    theirs = [plain_ping(valkey) for _ in range(3)]
    with app.app_context():
        queue_pauses.PauseAsserter().run()
    assert not valkey.exists("rq:queue:high")
    assert ids(app) == [*first, *theirs]


@pytest.mark.parametrize("paused", [True, False])
def test_a_pause_is_restored_when_valkey_lost_it(
    app: Flask, valkey: redis.Redis, paused: bool
) -> None:
    pause(app)
    if not paused:
        resume(app)
    valkey.flushall()
    [job_id] = pings(app, 1)
    with app.app_context():
        queue_pauses.PauseAsserter().run()
        assert pauses.is_paused(valkey, "high") is paused
    assert valkey.lrange("rq:queue:high", 0, -1) == ([] if paused else [job_id.encode()])


def test_nothing_is_written_while_nothing_is_paused(app: Flask, valkey: redis.Redis) -> None:
    pause(app)
    resume(app)
    with app.app_context():
        queue_pauses.PauseAsserter().run()
        before = valkey.info("commandstats")["cmdstat_eval"]["calls"]
        queue_pauses.PauseAsserter().run()
        assert valkey.info("commandstats")["cmdstat_eval"]["calls"] == before
        valkey.rpush("myukm:parking:high", "lost")
        queue_pauses.PauseAsserter().run()
    assert valkey.lrange("rq:queue:high", 0, -1) == [b"lost"]


def test_a_worker_reads_the_pause_from_the_database_when_valkey_lost_it(
    app: Flask, start: Start, valkey: redis.Redis
) -> None:
    pause(app)
    valkey.flushall()
    start("rq", "worker", "high", "default")
    wait_serving(app, ["high", "default"])
    with app.app_context():
        job_id = str(enqueue("myukm.jobs.chat.broadcast_chat_message", 1))
    wait_until(lambda: parked(valkey) == [job_id], 30, "it went back")
    assert status(valkey, job_id) == "queued"
    assert not valkey.keys("rq:execution*")


def test_an_outdated_read_does_not_undo_a_pause(
    app: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        before = queue_pauses.versions()
    pause(app)
    asserter = queue_pauses.PauseAsserter()
    with app.app_context(), monkeypatch.context() as patched:
        patched.setattr(queue_pauses, "versions", lambda: before)
        asserter.run()
        assert pauses.is_paused(valkey, "high"), "the read is from before the pause"
        asserter.run()
        assert not pauses.is_paused(valkey, "high"), (
            "the older state, read twice, is a restored database"
        )
    with app.app_context():
        asserter.run()
        assert pauses.is_paused(valkey, "high")


def test_pausing_twice_is_one_change(app: Flask) -> None:
    pause(app)
    with app.app_context():
        assert not queue_pauses.pause(SOMEBODY, "high")
        assert [row.actor_name for row in queue_pauses.paused()] == ["Siti Rahma"]
        assert queue_pauses.resume(SOMEBODY, "high")
        assert not queue_pauses.resume(SOMEBODY, "high")
        rows = activity.audit_page(action="queue.").items
        assert [row.action for row in rows] == ["queue.resume", "queue.pause"]


@every_database
def test_a_pause_is_a_row(app: Flask) -> None:
    pause(app)
    with app.app_context():
        [row] = queue_pauses.paused()
        assert (row.queue, row.actor_name) == ("high", "Siti Rahma")
        assert row.since
        assert abs((utcnow() - row.since).total_seconds()) < 60


def test_waiting_jobs_of_a_paused_queue_are_withdrawn_and_cleared(
    app: Flask, valkey: redis.Redis
) -> None:
    pause(app)
    every = pings(app, 2200)
    with app.app_context():
        queue = get_queue("high")
        assert queue.count == 2200
        assert queue.get_job_ids(1, 2) == every[1:3]
        RestrictedJob.fetch(every[0], connection=valkey).delete()
        remove_jobs("high", every[1:3])
        assert queue.get_job_ids(0, 1) == [every[3]]
        assert failed_jobs.clear_waiting("high") == 2197
    assert not valkey.keys("rq:job:*")


def test_a_hundred_thousand_waiting_jobs_are_parked_and_returned_within_5_s(
    app: Flask, valkey: redis.Redis
) -> None:
    valkey.rpush("rq:queue:high", *range(100_000))
    begun = time.perf_counter()
    pause(app)
    resume(app)
    assert time.perf_counter() - begun < 5
    assert valkey.llen("rq:queue:high") == 100_000
