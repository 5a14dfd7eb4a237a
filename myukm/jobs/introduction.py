"""Writes into a worker's hash in Valkey which database and code its jobs use.

`worker.py` writes these fields when it registers a worker. Under plain `rq worker` a job has to do
it, because no other code of ours runs there.
"""

import contextlib

from redis.exceptions import RedisError
from rq import get_current_job
from rq.worker import Worker

from myukm.domain.installation import worker_fields
from myukm.extensions import valkey

_introduced: set[str] = set()


def introduce() -> None:
    """Write the fields of this job's worker, once per process, if database and Valkey answer."""
    job = get_current_job()
    if job is None or not job.worker_name or job.worker_name in _introduced:
        return
    _introduced.add(job.worker_name)
    key = f"{Worker.redis_worker_namespace_prefix}{job.worker_name}"
    with contextlib.suppress(RedisError):
        if (fields := worker_fields()) and valkey().exists(key):
            valkey().hset(key, mapping=fields)  # type: ignore[arg-type]
