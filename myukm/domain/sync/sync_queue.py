"""The sync's jobs in the queue: they carry what they are about in their id, so the queue tells."""

import secrets
from collections.abc import Iterable

from redis.exceptions import RedisError

from myukm import queues

JOBS = "myukm.jobs.sync_pembayaran"
STUDENT = "sync-siswa-"


def queue_dispatch(run_id: int) -> bool:
    """Make sure that a dispatch of the run waits; False when Valkey is away."""
    mark = _mark("dispatch", run_id)
    return _ensure("dispatch_sync_pembayaran", run_id, mark) is not None


def queue_lane(run_id: int) -> bool:
    """Make sure that a lane of the run waits; False when Valkey is away."""
    return _ensure("sync_pembayaran_lane", run_id, _mark("lane", run_id)) is not None


def queue_student(request_id: int, idperson: str) -> str | None:
    """Make sure that the job of a request waits, before all others, and return its id.

    None when Valkey is away.
    """
    mark = _student(request_id)
    return _ensure("sync_pembayaran_siswa", idperson, mark, at_front=True)


def waiting(run_id: int) -> list[str]:
    """Return the ids of the run's jobs that no worker has taken. Raises RedisError."""
    return _waiting(_mark("dispatch", run_id), _mark("lane", run_id))


def student_waits(request_id: int) -> bool:
    """Return whether the job of a request waits in the queue. Raises RedisError."""
    return bool(_waiting(_student(request_id)))


def withdraw(run_id: int) -> None:
    """Take the run's waiting jobs out of the queue; one that starts all the same just ends."""
    _withdraw(_mark("dispatch", run_id), _mark("lane", run_id))


def withdraw_students(request_ids: Iterable[int]) -> None:
    """Take the jobs of these requests out of the queue, likewise."""
    if marks := [_student(request_id) for request_id in request_ids]:
        _withdraw(*marks)


def _mark(kind: str, run_id: int) -> str:
    return f"sync-{kind}-{run_id}-"


def _student(request_id: int) -> str:
    return f"{STUDENT}{request_id}-"


def _waiting(*marks: str) -> list[str]:
    return [job for job in queues.queue(queues.SYNC).get_job_ids() if job.startswith(marks)]


def _withdraw(*marks: str) -> None:
    try:
        if jobs := _waiting(*marks):
            queues.remove(queues.SYNC, jobs)
    except RedisError:
        return


def _ensure(function: str, argument: int | str, mark: str, *, at_front: bool = False) -> str | None:
    """Return the id of the job that waits with this mark, or of a new one."""
    try:
        if jobs := _waiting(mark):
            return jobs[0]
    except RedisError:
        return None
    job_id = mark + secrets.token_hex(4)
    return queues.enqueue(f"{JOBS}.{function}", argument, job_id=job_id, at_front=at_front)
