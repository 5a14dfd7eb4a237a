"""The two kinds of worker: RQ's, but soon stopped, and seen alive also when Valkey forgot them."""

import contextlib
import os
import signal
import threading
import time
from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import worker_registration
from rq.job import Job
from rq.queue import Queue
from rq.worker import SimpleWorker, Worker
from rq.worker.base import BaseWorker

from myukm import stopping
from myukm.listeners import STEADY

BEAT_SECONDS = 5
GRACE_SECONDS = 3.0


class OwnWorker(BaseWorker):
    """What both kinds share. The supervisor stops it with SIGTERM and kills it if it is slow."""

    max_connection_wait_time = 2.0
    _next_check = 0.0

    def check_for_suspension(self, burst: bool) -> None:
        """Take signals from now on: RQ is inside the block at whose end it signs off."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping.SIGNALS)
        super().check_for_suspension(burst)

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work until stopped; a signal during the start waits until it can be obeyed in order."""
        signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
        return bool(super().work(*args, **kwargs))

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self.connection.set_retry(Retry(NoBackoff(), 1))  # a stop does not wait for Valkey

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Beat, and enter the register of workers again when Valkey lost its memory."""
        super().heartbeat(timeout, pipeline)
        if pipeline is not None or time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + BEAT_SECONDS / 2
        if not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)

    def serialize(self) -> dict[Any, Any]:
        """Return what the register shows of us; `STEADY` promises the beat every few seconds."""
        return {**super().serialize(), STEADY: BEAT_SECONDS}

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Ignore a second signal: a terminal sends Ctrl-C to us and to the supervisor."""


class StayingWorker(OwnWorker, SimpleWorker):
    """Runs jobs in its own process: the fast way for short ones."""


class ForkingWorker(OwnWorker, Worker):
    """Runs each job in a fork of a process that has imported everything.

    At a stop the job is told by SIGTERM (it is in a process group of its own); one that does not
    end within `GRACE_SECONDS` is killed and goes back to the front of its queue.
    """

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()
        self._tell_horse()
        killer = threading.Timer(GRACE_SECONDS, self._kill_slow_horse)
        killer.daemon = True
        killer.start()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        self._alive, self._lifeline = os.pipe()
        super().fork_work_horse(job, queue)
        os.close(self._alive)
        if self._stop_requested:
            self._tell_horse()

    def monitor_work_horse(self, *args: Any) -> None:
        try:
            super().monitor_work_horse(*args)
        finally:
            os.close(self._lifeline)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        stopping.listen()
        os.close(self._lifeline)
        stopping.stop_with(self._alive)
        pool = self.connection.connection_pool
        pool.connection_kwargs["client_name"] = f"{self.name}:job"

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        if self._stop_requested:
            job.retries_left, job.enqueue_at_front_on_retry = 1, True
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]

    def _tell_horse(self) -> None:
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def _kill_slow_horse(self) -> None:
        if self.horse_pid:
            self.kill_horse()
