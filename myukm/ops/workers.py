"""The workers of `worker.py`: one per queue, for our own jobs only."""

import os
import secrets
import socket
from collections.abc import Callable
from typing import Any

import redis
from flask import Flask
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from rq.job import Job
from rq.worker.base import BaseWorker

from myukm.ops.counters import count
from myukm.ops.worker_kinds import BEAT_SECONDS, ForkingWorker, StayingWorker
from myukm.queues import HIGH, OwnJob, PlainPickle

# RQ waits this long for a job before it looks up and beats again, plus 15 s of its own.
WORKER_TTL = BEAT_SECONDS + 15
MAINTENANCE_SECONDS = 60


def worker_for(queue: str, app: Flask) -> BaseWorker:
    """Return the worker for `queue`: `high` runs its short jobs without forking."""
    name = f"{queue}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(2)}"
    return (StayingWorker if queue == HIGH else ForkingWorker)(
        [queue],
        name=name,
        connection=connection(app, name),
        work_horse_killed_handler=_count_killed(app),
        worker_ttl=WORKER_TTL,
        job_monitoring_interval=BEAT_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        job_class=OwnJob,
        serializer=PlainPickle,
    )


def connection(app: Flask, name: str) -> redis.Redis:
    """Return a client that outlives a restart of Valkey; all its connections carry `name`."""
    retry = Retry(ExponentialBackoff(cap=2.0, base=0.1), retries=30)
    return redis.Redis.from_url(
        app.config["REDIS_URL"], client_name=name, retry=retry, socket_connect_timeout=2.0
    )


def _count_killed(app: Flask) -> Callable[..., None]:
    """A job that is killed from outside can't count itself."""

    def count_it(job: Job, *_: Any) -> None:
        if not job.should_retry:
            with app.app_context():
                count(job.origin, "failed")

    return count_it
