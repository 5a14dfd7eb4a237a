"""Enqueueing: the only way in which the program puts a job into a queue.

Jobs are named by dotted path, so nothing here imports them. Arguments are ids: texts that a person
typed stay in the database.
"""

import logging
from collections.abc import Sequence
from typing import Any

from flask import current_app
from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage
from myukm.queues.jobs import FAILURE_SECONDS, JOBS, RESULT_SECONDS
from myukm.queues.pauses import PausableQueue
from myukm.queues.restricted_job import PrimitivePickle, RestrictedJob

_outage = Outage(logging.getLogger(__name__), "could not enqueue")


def get_queue(name: str) -> PausableQueue:
    """Return the RQ queue of that name on the app's Valkey; it reads only `RestrictedJob`s."""
    classes: dict[str, Any] = {"job_class": RestrictedJob, "serializer": PrimitivePickle}
    return PausableQueue(name, connection=valkey(), **classes)


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
        with valkey().pipeline() as pipe:  # otherwise RQ takes two round trips
            queued = get_queue(to or job.queue).enqueue(
                path,
                *args,
                pipeline=pipe,
                job_id=job_id,
                at_front=at_front,
                job_timeout=job.timeout or current_app.config["SYNC_JOB_TIMEOUT"],
                result_ttl=RESULT_SECONDS,
                failure_ttl=FAILURE_SECONDS,
                description=f"{path.rsplit('.', 1)[1]}({', '.join(map(str, args))})",
            )
            pipe.execute()
    except RedisError as error:
        _outage.failed(f"{path}: {error}")
        return None
    _outage.worked()
    return str(queued.id)


def remove_jobs(name: str, job_ids: Sequence[str]) -> None:
    """Remove waiting jobs from the queue, in one round trip. Raises RedisError."""
    source = get_queue(name)
    with source.connection.pipeline() as pipe:
        for job_id in job_ids:
            source.remove(job_id, pipeline=pipe)
            pipe.delete(RestrictedJob.key_for(job_id))
        pipe.execute()
