"""Main functions of `worker.py`'s processes: one per queue and one for the periodic tasks."""

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from redis.exceptions import RedisError
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler
from rq.utils import now

from myukm.logs.outages import Outage
from myukm.ops import periodic_tasks
from myukm.ops.process_registry import count_start
from myukm.queues.jobs import QUEUES
from myukm.queues.restart_counter import current
from myukm.queues.restricted_job import PrimitivePickle
from myukm.valkey_clients import background_client
from myukm.worker.rq_workers import worker_for
from myukm.worker.supervisor import ProcessMain, Supervisor

# The process is replaced after so many jobs, to limit memory leaks.
JOBS_PER_PROCESS = 10_000
# RQ's scheduler holds its locks for 61 s; a clock that is set back must not let them lapse.
SCHEDULER_HEARTBEAT = timedelta(seconds=15)
SCHEDULER_SECONDS = 2.0
# Exit statuses of a worker's process.
HAD_JOBS, UNREACHABLE = 3, 5

logger = logging.getLogger(__name__)


def run_worker(app: Flask, queue: str, burst: bool, level: str) -> int:
    """Work on `queue` until stopped and return the exit status.

    With `burst`, work until the queue is empty and return `HAD_JOBS` if it had jobs. While Valkey
    is unreachable, wait; with `burst`, return `UNREACHABLE` instead.
    """
    if not _valkey_answers(app, wait=not burst):
        return UNREACHABLE
    try:
        worker = worker_for(queue, app)
        with app.app_context():
            count_start(queue)
        worked = worker.work(burst=burst, logging_level=level, max_jobs=JOBS_PER_PROCESS)
    except RedisError as error:
        logger.warning("lost Valkey: %s", error)
        return UNREACHABLE
    return HAD_JOBS if burst and worked else 0


def run_burst(processes: Mapping[str, ProcessMain]) -> int:
    """Run all processes to their end, and again until no queue had a job, because jobs enqueue
    jobs; return the exit status."""
    bursts = Supervisor(processes)
    while HAD_JOBS in (statuses := bursts.run_once()) and not bursts.stopped:
        pass
    return max(0, *(abs(status) for status in statuses - {HAD_JOBS}))


def run_periodic(app: Flask, restarts: bytes | None = None) -> int:
    """Run the periodic tasks and RQ's scheduler until stopped; restart `worker.py` if requested.

    `restarts` is the counter of restart requests when `worker.py` started; None if it was unknown,
    then the first value read is used.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    periodic_tasks.start(app)
    client = background_client(app.config["REDIS_URL"])
    scheduler = RQScheduler(QUEUES, client, logging_level="WARNING", serializer=PrimitivePickle)
    outage = Outage(logger, "periodic")
    while True:
        try:
            _enqueue_due(scheduler)
            newest = current(client)
        except RedisError as error:
            outage.failed(error)
        else:
            outage.worked()
            if restarts is not None and newest not in (restarts, b""):
                os.kill(os.getppid(), signal.SIGHUP)
            restarts = newest
        if ended.wait(SCHEDULER_SECONDS):
            return 0


def _enqueue_due(scheduler: RQScheduler) -> None:
    """Enqueue the scheduled jobs that are due: one round of RQ's scheduler."""
    if not scheduler.last_heartbeat:
        scheduler.register_birth()
    elif abs(now() - scheduler.last_heartbeat) > SCHEDULER_HEARTBEAT:
        scheduler.heartbeat()
    if scheduler.should_reacquire_locks:
        scheduler.acquire_locks()
    # One command instead of one for each queue.
    if scheduler.connection.exists(*map(ScheduledJobRegistry.key_template.format, QUEUES)):
        scheduler.enqueue_scheduled_jobs()


def _valkey_answers(app: Flask, wait: bool) -> bool:
    client = background_client(app.config["REDIS_URL"])
    logged = False
    while True:
        try:
            return bool(client.ping())
        except RedisError as error:
            if not logged:
                logger.warning("Valkey does not answer: %s", error)
            if not wait:
                return False
        logged = True
        time.sleep(0.5)
