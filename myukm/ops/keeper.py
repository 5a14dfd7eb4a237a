"""What the processes of `worker.py` do: one works on each queue, one keeps watch over all."""

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping

import redis
from flask import Flask
from redis.exceptions import RedisError
from rq.scheduler import RQScheduler

from myukm.extensions import own_valkey
from myukm.ops import watch as duties
from myukm.ops.restart import asked
from myukm.ops.supervisor import Part, Supervisor
from myukm.ops.workers import worker_for
from myukm.queues import QUEUES, PlainPickle

# A process of a job that leaks must not grow for ever.
JOBS_PER_PROCESS = 10_000
WORKED, UNREACHABLE = 3, 5

log = logging.getLogger(__name__)


def work(app: Flask, queue: str, burst: bool, level: str) -> int:
    """Work on `queue` until stopped, or in a burst until it is empty (then `WORKED` if it had
    jobs). Without Valkey: wait for it, or in a burst return `UNREACHABLE`."""
    if not _valkey_answers(app, wait=not burst):
        return UNREACHABLE
    try:
        worker = worker_for(queue, app)
        worked = worker.work(burst=burst, logging_level=level, max_jobs=JOBS_PER_PROCESS)
    except RedisError as error:
        log.warning("Valkey went away: %s", error)
        return UNREACHABLE
    return WORKED if burst and worked else 0


def drain(parts: Mapping[str, Part]) -> int:
    """Run bursts until no queue had a job (jobs queue jobs); return the exit status."""
    bursts = Supervisor(parts)
    while WORKED in (statuses := bursts.run_once()) and not bursts.stopped:
        pass
    return max(0, *(abs(status) for status in statuses - {WORKED}))


def watch(app: Flask) -> int:
    """Do the program's duties every second, and see to scheduled jobs and asked restarts."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    duties.start(app)
    client = own_valkey(app, socket_timeout=5.0)
    scheduler = RQScheduler(QUEUES, client, logging_level="WARNING", serializer=PlainPickle)
    first: bytes | None = None
    while not ended.wait(1.0):
        try:
            _enqueue_due(scheduler)
            newest = asked(client)
        except RedisError as error:
            log.warning("watch: %s", error)
            continue
        if first is not None and newest not in (first, b""):
            os.kill(os.getppid(), signal.SIGHUP)
        first = newest
    return 0


def _enqueue_due(scheduler: RQScheduler) -> None:
    """Do one round of RQ's scheduler, for who uses it: without it retries that wait never run."""
    if not scheduler.last_heartbeat:
        scheduler.register_birth()
    if scheduler.should_reacquire_locks:
        scheduler.acquire_locks()
    scheduler.heartbeat()
    scheduler.enqueue_scheduled_jobs()


def _valkey_answers(app: Flask, wait: bool) -> bool:
    client: redis.Redis = own_valkey(app, socket_timeout=2.0)
    told = False
    while True:
        try:
            return bool(client.ping())
        except RedisError as error:
            if not told:
                log.warning("Valkey does not answer: %s", error)
            if not wait:
                return False
        told = True
        time.sleep(0.5)
