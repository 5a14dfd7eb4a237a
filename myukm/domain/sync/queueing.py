"""The sync's jobs in the queue: they carry what they are about in their id, so the queue tells."""

import secrets
from collections.abc import Iterable

from redis.exceptions import RedisError

from myukm.queues.enqueue import enqueue, get_queue, remove_jobs
from myukm.queues.jobs import SYNC

JOBS = "myukm.jobs.sync_pembayaran"
STUDENT = "sync-siswa-"


def queue_dispatch(run_id: int) -> bool:
    """Make sure that a dispatch of the run waits; False when Valkey is away."""
    prefix = _mark("dispatch", run_id)
    return _ensure("dispatch_sync_pembayaran", run_id, prefix) is not None


def queue_lane(run_id: int) -> bool:
    """Make sure that a lane of the run waits; False when Valkey is away."""
    return _ensure("sync_pembayaran_lane", run_id, _mark("lane", run_id)) is not None


def queue_student(request_id: int, idperson: str) -> str | None:
    """Make sure that the job of a request waits, before all others, and return its id.

    None when Valkey is away.
    """
    prefix = _student(request_id)
    return _ensure("sync_pembayaran_siswa", idperson, prefix, at_front=True)


def queued_ids(run_id: int) -> list[str]:
    """Return the ids of the run's jobs that no worker has taken. Raises RedisError."""
    return _waiting(_mark("dispatch", run_id), _mark("lane", run_id))


def student_waits(request_id: int) -> bool:
    """Return whether the job of a request waits in the queue. Raises RedisError."""
    return bool(_waiting(_student(request_id)))


def remove_queued(run_id: int) -> None:
    """Remove the run's queued jobs; one that starts all the same just ends."""
    _withdraw(_mark("dispatch", run_id), _mark("lane", run_id))


def withdraw_students(request_ids: Iterable[int]) -> None:
    """Take the jobs of these requests out of the queue, likewise."""
    if prefixes := [_student(request_id) for request_id in request_ids]:
        _withdraw(*prefixes)


def _mark(kind: str, run_id: int) -> str:
    return f"sync-{kind}-{run_id}-"


def _student(request_id: int) -> str:
    return f"{STUDENT}{request_id}-"


def _waiting(*prefixes: str) -> list[str]:
    return [job for job in get_queue(SYNC).get_job_ids() if job.startswith(prefixes)]


def _withdraw(*prefixes: str) -> None:
    try:
        if jobs := _waiting(*prefixes):
            remove_jobs(SYNC, jobs)
    except RedisError:
        return


def _ensure(
    function: str, argument: int | str, prefix: str, *, at_front: bool = False
) -> str | None:
    """Return the id of the job that waits with this mark, or of a new one."""
    try:
        if jobs := _waiting(prefix):
            return jobs[0]
    except RedisError:
        return None
    job_id = prefix + secrets.token_hex(4)
    return enqueue(f"{JOBS}.{function}", argument, job_id=job_id, at_front=at_front)
