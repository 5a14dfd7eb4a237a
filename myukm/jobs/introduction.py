"""Each worker's row says which database and code its jobs work with.

`worker.py` writes it when a worker registers; plain RQ only runs our code once it has a job.
"""

import contextlib

from redis.exceptions import RedisError
from rq import get_current_job
from rq.worker import Worker

from myukm.domain.installation import worker_fields
from myukm.extensions import valkey

_introduced: set[str] = set()


def introduce() -> None:
    """Write it at a process's first job, if database and Valkey answer."""
    job = get_current_job()
    if job is None or not job.worker_name or job.worker_name in _introduced:
        return
    _introduced.add(job.worker_name)
    key = f"{Worker.redis_worker_namespace_prefix}{job.worker_name}"
    with contextlib.suppress(RedisError):
        if (own := worker_fields()) and valkey().exists(key):
            valkey().hset(key, mapping=own)  # type: ignore[arg-type]
