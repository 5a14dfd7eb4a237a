"""The queues, which job goes where, the one way to enqueue, and what may travel in a job.

Jobs are named by dotted path, so that nothing here imports them. Their arguments are ids.
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
    """Return RQ's queue of that name on the app's Valkey; the jobs it reads are
    `RestrictedJob`s."""
    return Queue(name, connection=valkey(), job_class=RestrictedJob, serializer=PrimitivePickle)


def enqueue(
    path: str,
    *args: Any,
    to: str | None = None,
    job_id: str | None = None,
    at_front: bool = False,
) -> str | None:
    """Put the job at `path` into its queue (or `to`) and return its id (`job_id` when given).

    Returns None when Valkey does not take it: what must happen all the same is in the database,
    and the watch that looks there catches up. Raises KeyError for a job that JOBS doesn't name.
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
        logger.warning("%s was not queued: %s", path, error)
        return None
    return str(queued.id)


def remove_jobs(name: str, job_ids: Sequence[str]) -> None:
    """Take waiting jobs out of the queue, in one trip. Raises RedisError."""
    source = get_queue(name)
    with source.connection.pipeline() as pipe:
        for job_id in job_ids:
            pipe.lrem(source.key, 1, job_id)
            pipe.delete(RestrictedJob.key_for(job_id))
        pipe.execute()
