"""The job of an import in the queue. Its id names the import, so that the queue can be searched."""

import secrets

from redis.exceptions import RedisError

from myukm.queues.enqueue import enqueue, get_queue
from myukm.queues.jobs import DEFAULT

JOB = "myukm.jobs.roster.advance_roster_import"


def queue(import_id: int) -> None:
    """Enqueue the job of an import; without Valkey the watchdog enqueues it later."""
    enqueue(JOB, import_id, job_id=f"{_prefix(import_id)}{secrets.token_hex(8)}")


def waits(import_id: int) -> bool:
    """Return whether the job of an import is queued; True without Valkey, because then no job can
    be enqueued."""
    try:
        return any(job.startswith(_prefix(import_id)) for job in get_queue(DEFAULT).get_job_ids())
    except RedisError:
        return True


def _prefix(import_id: int) -> str:
    return f"roster-{import_id}-"
