"""The run's jobs in the queue: they carry the run in their id, so the queue itself tells."""

import secrets

from redis.exceptions import RedisError

from myukm import queues

JOBS = "myukm.jobs.sync_pembayaran"


def queue_dispatch(run_id: int) -> bool:
    """Make sure that a dispatch of the run waits; False when Valkey is away."""
    return _ensure("dispatch_sync_pembayaran", "dispatch", run_id)


def queue_lane(run_id: int) -> bool:
    """Make sure that a lane of the run waits; False when Valkey is away."""
    return _ensure("sync_pembayaran_lane", "lane", run_id)


def waiting(run_id: int) -> list[str]:
    """Return the ids of the run's jobs that no worker has taken. Raises RedisError."""
    marks = tuple(f"sync-{kind}-{run_id}-" for kind in ("dispatch", "lane"))
    return [job for job in queues.queue(queues.SYNC).get_job_ids() if job.startswith(marks)]


def withdraw(run_id: int) -> None:
    """Take the run's waiting jobs out of the queue; one that starts all the same just ends."""
    try:
        jobs = waiting(run_id)
        if jobs:
            queues.remove(queues.SYNC, jobs)
    except RedisError:
        return


def _ensure(function: str, kind: str, run_id: int) -> bool:
    mark = f"sync-{kind}-{run_id}-"
    try:
        if any(job.startswith(mark) for job in waiting(run_id)):
            return True
    except RedisError:
        return False
    job_id = mark + secrets.token_hex(4)
    return queues.enqueue(f"{JOBS}.{function}", run_id, job_id=job_id) is not None
