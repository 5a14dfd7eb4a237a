"""The queues, which job goes where, and the one way to enqueue.

Jobs are named by dotted path, so that nothing here imports them. Their arguments are ids.
"""

import logging
from typing import Any, NamedTuple

from flask import current_app
from redis.exceptions import RedisError
from rq import Queue

from myukm.extensions import valkey

HIGH = "high"
DEFAULT = "default"
SYNC = "sync-pembayaran"
QUEUES = (HIGH, DEFAULT, SYNC)

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """Where a job runs and how long it may take (seconds; None: `SYNC_JOB_TIMEOUT`)."""

    queue: str
    timeout: int | None


JOBS: dict[str, Job] = {
    "myukm.jobs.chat.broadcast_chat_message": Job(HIGH, 30),
    "myukm.jobs.presence.broadcast_online_status": Job(DEFAULT, 30),
    "myukm.jobs.upkeep.ping": Job(DEFAULT, 30),
    "myukm.jobs.sync_pembayaran.dispatch_sync_pembayaran": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_lane": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_siswa": Job(SYNC, None),
}


def queue(name: str) -> Queue:
    """Return RQ's queue of that name on the app's Valkey."""
    return Queue(name, connection=valkey())


def enqueue(path: str, *args: Any, to: str | None = None) -> str | None:
    """Put the job at `path` into its queue (or `to`) and return its id.

    Returns None when Valkey does not take it: what must happen all the same is in the database,
    and the watch that looks there catches up. Raises KeyError for a job that JOBS doesn't name.
    """
    job = JOBS[path]
    try:
        queued = queue(to or job.queue).enqueue(
            path,
            *args,
            job_timeout=job.timeout or current_app.config["SYNC_JOB_TIMEOUT"],
            result_ttl=3600,
            failure_ttl=7 * 86_400,
            description=f"{path.rsplit('.', 1)[1]}({', '.join(map(str, args))})",
        )
    except RedisError as error:
        log.warning("%s was not queued: %s", path, error)
        return None
    return str(queued.id)
