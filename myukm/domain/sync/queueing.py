"""The sync's jobs in the queue. A job's id begins with its kind and the id of its run or request,
so that the job can be found in the queue."""

import secrets
from collections.abc import Iterable

from redis.exceptions import RedisError

from myukm.queues.enqueue import enqueue, get_queue, remove_jobs
from myukm.queues.jobs import SYNC

JOBS = "myukm.jobs.sync_pembayaran"
STUDENT, LANE, DISPATCH = "sync-siswa-", "sync-lane-", "sync-dispatch-"


def queue_dispatch(run_id: int) -> bool:
    """Enqueue a dispatch of the run unless one is queued; return False without Valkey."""
    prefix = _prefix("dispatch", run_id)
    return _enqueue_once("dispatch_sync_pembayaran", run_id, prefix) is not None


def queue_lane(run_id: int) -> bool:
    """Enqueue a lane of the run unless one is queued; return False without Valkey."""
    return _enqueue_once("sync_pembayaran_lane", run_id, _prefix("lane", run_id)) is not None


def queue_student(request_id: int, idperson: str) -> str | None:
    """Enqueue the job of a request at the front unless it is queued.

    Return the job's id, None without Valkey.
    """
    prefix = _student_prefix(request_id)
    return _enqueue_once("sync_pembayaran_siswa", idperson, prefix, at_front=True)


def is_lane(job_id: str) -> bool:
    """Return whether this is the id of a lane's job or a dispatch, which continues as a lane."""
    return job_id.startswith((LANE, DISPATCH))


def queued_ids(run_id: int) -> list[str]:
    """Return the ids of the run's jobs that no worker has taken. Raises RedisError."""
    return _waiting(_prefix("dispatch", run_id), _prefix("lane", run_id))


def is_student_queued(request_id: int) -> bool:
    """Return whether the job of a request is queued. Raises RedisError."""
    return bool(_waiting(_student_prefix(request_id)))


def remove_queued(run_id: int) -> None:
    """Remove the run's queued jobs. A job that has just started ends by itself, because the run is
    not running."""
    _remove(_prefix("dispatch", run_id), _prefix("lane", run_id))


def remove_student_jobs(request_ids: Iterable[int]) -> None:
    """Remove the queued jobs of these requests."""
    if prefixes := [_student_prefix(request_id) for request_id in request_ids]:
        _remove(*prefixes)


def _prefix(kind: str, run_id: int) -> str:
    return f"sync-{kind}-{run_id}-"


def _student_prefix(request_id: int) -> str:
    return f"{STUDENT}{request_id}-"


def _waiting(*prefixes: str) -> list[str]:
    return [job for job in get_queue(SYNC).get_job_ids() if job.startswith(prefixes)]


def _remove(*prefixes: str) -> None:
    try:
        if jobs := _waiting(*prefixes):
            remove_jobs(SYNC, jobs)
    except RedisError:
        return


def _enqueue_once(
    function: str, argument: int | str, prefix: str, *, at_front: bool = False
) -> str | None:
    """Return the id of the queued job with this prefix; enqueue a job if there is none.

    None without Valkey.
    """
    try:
        if jobs := _waiting(prefix):
            return jobs[0]
    except RedisError:
        return None
    job_id = prefix + secrets.token_hex(4)
    return enqueue(f"{JOBS}.{function}", argument, job_id=job_id, at_front=at_front)
