"""A lane: one job that fetches many students concurrently and stores their payments.

The event loop fetches; one thread writes, so that the database never stalls the fetching. Each
flush (four a second) writes results, claims items, and raises the lane's heartbeat."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from myukm import shutdown
from myukm.db.availability import is_unavailable
from myukm.domain.payment_api import shared_state
from myukm.domain.payment_api.fetcher import FetchPool
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import pausing, progress, queueing
from myukm.domain.sync.lane_store import Batch, LaneExpired, LaneStore
from myukm.domain.sync.student_store import StudentStore, submit
from myukm.logs.outages import Outage
from myukm.models.sync import Status

FLUSH_SECONDS, LAST_FLUSH_SECONDS, POLL_SECONDS = 0.25, 0.1, 0.02
MAX_LIFETIME_SECONDS, MAX_DATABASE_SECONDS, SHUTDOWN_SECONDS = 180.0, 120.0, 15.0
MAX_CLAIMED = 2000

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Lane:
    """Works on run `run_id` until no student is left, the run stops, or the lane's time is over."""

    def __init__(self, app: Flask, run_id: int) -> None:
        self._app, self._run_id = app, run_id
        lane_id = secrets.token_hex(16)
        self._store, self._students = LaneStore(run_id, lane_id), StudentStore(lane_id)
        self._width: int = app.config["PEMBAYARAN_API_CONCURRENCY"]
        # Half of the job's time is for the work, a quarter for waiting for a database that does not
        # answer, the last quarter for the shutdown.
        self._database_timeout = min(app.config["SYNC_JOB_TIMEOUT"] / 4, MAX_DATABASE_SECONDS)
        self._per_second, self._unwritten = 0.0, 0  # results that the last flush could not write
        self._exhausted = self._progress_sent = self._successor_queued = False
        self._database_away = self._requests_waiting = False
        self._give_up_at: float | None = None
        self._outage = Outage(logger, f"run {run_id}: the database does not answer")

    async def work(self) -> None:
        """Work to the end. Raises the error that made it impossible to continue."""
        with ThreadPoolExecutor(1, thread_name_prefix="lane-db") as self._thread:
            if not await self._in_db_thread(self._store.register):
                return
            loop = asyncio.get_running_loop()
            self._clock = loop.time
            self._flushed_at = self._last_db_contact = loop.time()
            job_seconds = self._app.config["SYNC_JOB_TIMEOUT"]
            self._deadline = loop.time() + min(job_seconds / 2, MAX_LIFETIME_SECONDS)
            # The last quarter of the job's time is for writing the last answers.
            self._latest_end = loop.time() + 0.75 * job_seconds
            async with FetchPool(self._app.config, self._width) as pool:
                self._store.stats = pool.stats
                await self._work(pool)

    async def _work(self, pool: FetchPool) -> None:
        try:
            while True:
                await self._flush(pool)
                update = pool.update()
                pool.merge(update, await self._in_db_thread(shared_state.exchange, update))
                if self._finished(pool):
                    break
                await self._sleep_until_due(pool)
        except LaneExpired:
            logger.warning("run %d: lane expired (missed heartbeats), exiting", self._run_id)
            return
        except BaseException:
            await self._shutdown(pool)
            raise
        await self._shutdown(pool)

    async def _flush(self, pool: FetchPool) -> None:
        """Flush to the database; if it does not answer, keep the results for the next flush."""
        pool.raise_if_failed()
        pool.review_deferred(idle=self._exhausted and pool.stalled)
        results = pool.pop_results()
        self._measure(len(results) - self._unwritten)
        want = self._claim_size(pool)
        refused = None if self._stopping else pool.policy.refused
        try:
            await self._flush_requests(pool, results)
            own = [item for item in results if not item.requested]
            batch = await self._in_db_thread(self._flush_in_thread, own, want, refused)
        except SQLAlchemyError as error:
            if not is_unavailable(error):
                raise  # the results are dropped, because they may be what the database refuses
            pool.requeue_results(results)
            self._database_away, self._unwritten = True, len(results)
            if self._clock() - self._last_db_contact > self._database_timeout:
                raise
            self._outage.failed(error)
            return
        self._outage.worked()
        self._last_db_contact, self._database_away = self._clock(), False
        self._unwritten = 0
        pool.gate.rate_limiter.workers = max(1, batch.workers)
        self._requests_waiting = batch.requests
        pool.submit(batch.items)
        self._exhausted = len(batch.items) < want
        self._check_stop(pool, batch, refused)
        await self._in_db_thread(
            self._publish_and_scale, bool(results), want == len(batch.items) > 0
        )

    async def _flush_requests(self, pool: FetchPool, results: Sequence[Item]) -> None:
        """Write and claim students whom a person requested, if there are any."""
        answered = [item for item in results if item.requested]
        claim = self._requests_waiting and not self._stopping
        if answered or claim or self._students.claimed_ids:
            flush = self._students.flush_and_claim
            submit(pool, await self._in_db_thread(flush, answered, claim=claim))

    def _flush_in_thread(self, results: Sequence[Item], want: int, refused: str | None) -> Batch:
        """The flush itself, in the database thread."""
        if refused:
            pausing.pause_refused(self._run_id, refused)
        return self._store.flush_and_claim(results, want)

    def _publish_and_scale(self, has_written: bool, more: bool) -> None:
        """Publish the progress, and queue one more lane if there are probably `more` students.

        `has_written`: the turn wrote results.
        """
        try:
            if more and not self._successor_queued:
                self._successor_queued = queueing.queue_lane(self._run_id)
            if has_written or not self._progress_sent:
                self._progress_sent = progress.publish_throttled()
        except SQLAlchemyError as error:
            if not is_unavailable(error):
                raise
            logger.warning("run %d: progress not published: %s", self._run_id, error)

    @property
    def _stopping(self) -> bool:
        """Whether the lane claims no more and only waits for its last responses."""
        return self._give_up_at is not None

    def _claim_size(self, pool: FetchPool) -> int:
        """Return how many students to claim: enough for about one second, fewer at first."""
        if self._stopping:
            return 0
        minimum = (4 if pool.unfinished else 2) * self._width
        return max(0, min(max(minimum, round(self._per_second)), MAX_CLAIMED) - pool.queued)

    def _measure(self, done: int) -> None:
        """Update the rate of students per second; `done` have ended since the last flush."""
        elapsed = max(self._clock() - self._flushed_at, 0.001)
        self._flushed_at = self._clock()
        rate = done / elapsed
        self._per_second = max(rate, (self._per_second + rate) / 2)

    def _check_stop(self, pool: FetchPool, batch: Batch, refused: str | None) -> None:
        """Stop fetching if the API refuses us, the run does not run, or the lane's time is over."""
        if self._stopping:
            return
        # A refused lane ends even if the run was resumed at once, because the refusals of requests
        # that are still in flight would pause the run again. A refusal that arrived during this
        # flush is handled by the next one.
        if refused or batch.status != Status.RUNNING or self._clock() > self._deadline:
            pool.stop()
            last_answer = self._clock() + self._app.config["PEMBAYARAN_API_TIMEOUT"]
            self._give_up_at = min(last_answer, self._latest_end)

    def _finished(self, pool: FetchPool) -> bool:
        if shutdown.requested.is_set():
            return True
        if self._give_up_at is not None:
            return not pool.in_flight or self._clock() > self._give_up_at
        return self._exhausted and not pool.unfinished

    async def _sleep_until_due(self, pool: FetchPool) -> None:
        """Sleep until the next turn; begin it early to claim students or write the last answers."""
        due, soon = self._flushed_at + FLUSH_SECONDS, self._flushed_at + LAST_FLUSH_SECONDS
        while self._clock() < due and not shutdown.requested.is_set():
            needed = max(2 * self._width, self._per_second * FLUSH_SECONDS)
            low = pool.queued < min(needed, MAX_CLAIMED) and not self._exhausted
            last = self._exhausted and pool.has_results and self._clock() > soon
            early = low or last or not pool.unfinished
            if early and not self._database_away and not self._stopping:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _shutdown(self, pool: FetchPool) -> None:
        """Write finished items and release the rest, if the database answers in time."""
        pool.stop()
        done, deadline = pool.pop_results(), self._clock() + SHUTDOWN_SECONDS
        while True:
            try:
                return await self._in_db_thread(self._close, done, list(pool.unfinished.values()))
            except SQLAlchemyError as error:
                too_late = shutdown.requested.is_set() or self._clock() > deadline
                if too_late or not is_unavailable(error):
                    raise
            await asyncio.sleep(FLUSH_SECONDS)

    def _close(self, done: Sequence[Item], unfinished: Sequence[Item]) -> None:
        self._students.flush_and_claim([item for item in done if item.requested])
        self._students.close()
        own = [item for item in done if not item.requested]
        self._store.unregister(own, [student for student in unfinished if not student.requested])

    async def _in_db_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the lane's database thread."""

        def run() -> T:
            with self._app.app_context():
                return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)
