"""RQ workers that stop quickly, and register again after Valkey lost its data."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import worker_registration
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.utils import now as rq_now
from rq.worker import SimpleWorker, Worker
from rq.worker.base import BaseWorker

from myukm import shutdown
from myukm.domain.installation import worker_fields
from myukm.domain.sync.lane_job import hung_seconds
from myukm.domain.sync.queueing import is_lane
from myukm.queues import job_heartbeats
from myukm.queues.counters import count
from myukm.queues.jobs import HIGH
from myukm.queues.restricted_job import PrimitivePickle, RestrictedJob
from myukm.queues.workers import HEARTBEAT_FIELD, SEEN_FIELD, keep_running_jobs
from myukm.valkey_clients import worker_client
from myukm.worker.pausing import PausingWorker

HEARTBEAT_SECONDS = 5
# RQ waits for a job 15 s less than this before it sends the next heartbeat.
WORKER_TTL_SECONDS = HEARTBEAT_SECONDS + 15
GRACE_SECONDS = 3.0
MAINTENANCE_SECONDS, MAX_SKEW_SECONDS = 60, 30.0

logger = logging.getLogger(__name__)


class SupervisedWorker(PausingWorker):
    """Base class of both workers. The supervisor stops a worker by SIGTERM, and kills it if it has
    not ended within `WARM_SECONDS`."""

    max_connection_wait_time = 2.0
    _next_check = 0.0

    def check_for_suspension(self, burst: bool) -> None:
        """Unblock signals, because from here on RQ unregisters the worker when a signal comes."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, shutdown.SIGNALS)
        super().check_for_suspension(burst)

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work until stopped. Signals are blocked during the start, because RQ would exit without
        unregistering the worker."""
        signal.pthread_sigmask(signal.SIG_BLOCK, shutdown.SIGNALS)
        return bool(super().work(*args, **kwargs))

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self.connection.set_retry(Retry(NoBackoff(), 1))  # stopping must not wait for Valkey

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Send a heartbeat, and register again if Valkey lost the registration."""
        super().heartbeat(timeout, pipeline)
        if pipeline is not None or time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + HEARTBEAT_SECONDS / 2
        self._write_last_seen()
        if not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)

    def maintain_heartbeats(self, *args: Any) -> None:
        """Send a heartbeat while a job runs."""
        super().maintain_heartbeats(*args)
        self._write_last_seen()

    def _write_last_seen(self) -> None:
        self.connection.hset(self.key, SEEN_FIELD, self.connection.time()[0])

    def clean_registries(self) -> None:
        """Fail the jobs of dead workers; not if the host's clock is wrong, because RQ uses it to
        decide which workers are dead."""
        if abs(time.time() - self.connection.time()[0]) < MAX_SKEW_SECONDS:
            keep_running_jobs(self.connection)
            super().clean_registries()  # type: ignore[no-untyped-call]

    def serialize(self) -> dict[Any, Any]:
        """Return the fields with which the worker is registered: RQ's, and ours."""
        with self.app.app_context():
            own = worker_fields()
        return {**super().serialize(), HEARTBEAT_FIELD: HEARTBEAT_SECONDS, **own}

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Ignore a second signal, because Ctrl-C in a terminal reaches the worker twice: directly,
        and through the supervisor."""


class InProcessWorker(SupervisedWorker, SimpleWorker):
    """Runs jobs in its own process, because a fork would take longer than a short job."""


class ForkingWorker(SupervisedWorker, Worker):
    """Runs each job in a fork of a process that has already imported everything.

    When stopped, it sends SIGTERM to the job's process. A job that does not end within
    `GRACE_SECONDS` is killed and requeued at the front.
    """

    hung_seconds = 30
    _missed_heartbeats = 0

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()
        self._signal_work_horse()
        killer = threading.Timer(GRACE_SECONDS, self._kill_work_horse)
        killer.daemon = True
        killer.start()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        self._alive, self._lifeline = os.pipe()
        super().fork_work_horse(job, queue)
        os.close(self._alive)
        if self._stop_requested:
            self._signal_work_horse()

    def monitor_work_horse(self, *args: Any) -> None:
        try:
            super().monitor_work_horse(*args)
        finally:
            os.close(self._lifeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Send a heartbeat while a job runs, and kill a lane that hangs, because RQ would kill it
        only a minute after the job's time-out."""
        super().maintain_heartbeats(job, execution)
        old = job.started_at and (rq_now() - job.started_at).total_seconds() > self.hung_seconds
        if not old or not is_lane(job.id) or not job_heartbeats.silent(self.connection, [job.id]):
            self._missed_heartbeats = 0
            return
        self._missed_heartbeats += 1
        if self._missed_heartbeats > 1:  # a single one may be missing because Valkey lost its data
            logger.warning("job %s hangs: its process is killed", job.id)
            self.kill_horse()

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        shutdown.install_handler()
        os.close(self._lifeline)
        shutdown.stop_when_closed(self._alive)
        pool = self.connection.connection_pool
        pool.connection_kwargs["client_name"] = f"{self.name}:job"

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        if self._stop_requested:
            job.retries_left, job.enqueue_at_front_on_retry = 1, True
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]

    def _signal_work_horse(self) -> None:
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def _kill_work_horse(self) -> None:
        if self.horse_pid:
            self.kill_horse()


def worker_for(queue: str, app: Flask) -> BaseWorker:
    """Return a worker for `queue`; the short jobs of `high` run without a fork."""
    name = f"{queue}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(2)}"
    ForkingWorker.hung_seconds, PausingWorker.app = hung_seconds(app.config), app
    return (InProcessWorker if queue == HIGH else ForkingWorker)(
        [queue],
        name=name,
        connection=worker_client(app.config["REDIS_URL"], name),
        work_horse_killed_handler=_count_killed(app),
        worker_ttl=WORKER_TTL_SECONDS,
        job_monitoring_interval=HEARTBEAT_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        job_class=RestrictedJob,
        serializer=PrimitivePickle,
    )


def _count_killed(app: Flask) -> Callable[..., None]:
    """Return a callback that counts a killed job as failed, because the job's process, which counts
    jobs otherwise, is dead."""

    def count_it(job: Job, *_: Any) -> None:
        if not job.should_retry:
            with app.app_context():
                count(job.origin, "failed")

    return count_it
