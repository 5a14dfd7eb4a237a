"""Enqueueing: the only way in which the program puts a job into a queue.

Jobs are named by dotted path, so nothing here imports them. Arguments are ids: whatever a person
typed stays in the database.
"""

import logging
from collections.abc import Sequence
from typing import Any

from flask import current_app
from redis.exceptions import RedisError
from rq import Queue

from myukm.extensions import valkey
from myukm.queues.jobs import FAILURE_SECONDS, JOBS, RESULT_SECONDS
from myukm.queues.restricted_job import PrimitivePickle, RestrictedJob

logger = logging.getLogger(__name__)


def get_queue(name: str) -> Queue:
    """Return the RQ queue of that name on the app's Valkey; it reads only `RestrictedJob`s."""
    return Queue(name, connection=valkey(), job_class=RestrictedJob, serializer=PrimitivePickle)


def enqueue(
    path: str,
    *args: Any,
    to: str | None = None,
    job_id: str | None = None,
    at_front: bool = False,
) -> str | None:
    """Enqueue the job at `path` in its queue (or in `to`) and return its id (`job_id` if given).

    Returns None if Valkey is unreachable. The caller need not handle that: the work itself is a
    row in the database, and a periodic task finds it. Raises KeyError if `path` is not in JOBS.
    """
    job = JOBS[path]
    try:
        queued = get_queue(to or job.queue).enqueue(
            path,
            *args,
            job_id=job_id,
            at_front=at_front,
            job_timeout=job.timeout or current_app.config["SYNC_JOB_TIMEOUT"],
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
            description=f"{path.rsplit('.', 1)[1]}({', '.join(map(str, args))})",
        )
    except RedisError as error:
        logger.warning("could not enqueue %s: %s", path, error)
        return None
    return str(queued.id)


def remove_jobs(name: str, job_ids: Sequence[str]) -> None:
    """Remove waiting jobs from the queue, in one round trip. Raises RedisError."""
    source = get_queue(name)
    with source.connection.pipeline() as pipe:
        for job_id in job_ids:
            pipe.lrem(source.key, 1, job_id)
            pipe.delete(RestrictedJob.key_for(job_id))
        pipe.execute()
