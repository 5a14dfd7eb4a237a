"""Each process of jobs says in its worker's row which database and code it works with."""

import contextlib

from redis.exceptions import RedisError
from rq import get_current_job
from rq.worker import Worker
from sqlalchemy.exc import SQLAlchemyError

from myukm.domain.installation import code_version, database_id
from myukm.extensions import valkey
from myukm.queues.workers import DATABASE_FIELD, VERSION_FIELD

_introduced: set[str] = set()


def introduce() -> None:
    """Say it at a process's first job, if database and Valkey answer."""
    job = get_current_job()
    if job is None or not job.worker_name or job.worker_name in _introduced:
        return
    _introduced.add(job.worker_name)
    key = f"{Worker.redis_worker_namespace_prefix}{job.worker_name}"
    with contextlib.suppress(RedisError, SQLAlchemyError):
        own = {DATABASE_FIELD: database_id(), VERSION_FIELD: code_version()}
        if valkey().exists(key):
            valkey().hset(key, mapping=own)  # type: ignore[arg-type]
