"""A fetch pool: a fixed number of requests in flight, a new one as soon as one is answered."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import ApiGate
from myukm.domain.payment_api.metrics import RequestStats
from myukm.domain.payment_api.parser import Answer
from myukm.domain.payment_api.retry_policy import RetryPolicy
from myukm.domain.payment_api.tasks import cancel_and_wait
from myukm.domain.payment_api.work_item import Result, WorkItem

PROBE_POLL_SECONDS = 0.1
NOBODY = "-"


class Stock(asyncio.Queue[WorkItem]):
    """The students to ask for next: those whom a person waits for come first."""

    _queue: deque[WorkItem]

    def _put(self, item: WorkItem) -> None:
        if item.requested:
            self._queue.appendleft(item)
        else:
            self._queue.append(item)

    def first(self, item: WorkItem) -> WorkItem:
        """Return who is to be asked for before `item`, in exchange for this one."""
        if self._queue and self._queue[0].requested:
            item, first = self.get_nowait(), item
            self.put_nowait(first)
        return item


class FetchPool:
    """Asks for the students it is given, `width` at a time. Used as a context manager.

    `open` are the students without an outcome yet, by key. The outcomes wait in `pop_results`.
    """

    def __init__(self, settings: Mapping[str, Any], width: int) -> None:
        self.gate = ApiGate(settings)
        self.policy = RetryPolicy(
            self.gate, settings["PEMBAYARAN_API_TRIES"], self._complete, self._retry
        )
        self.unfinished: dict[tuple[bool, int], WorkItem] = {}
        self.stats = RequestStats()
        self._api = PaymentApi(settings)
        self._width = width
        self._queue = Stock()
        self._results: list[Result] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._in_flight: set[asyncio.Task[Any] | None] = set()
        self._probes: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        await self.gate.__aenter__()
        self._tasks = [asyncio.create_task(self._fetch_loop()) for _ in range(self._width)]
        self._tasks.append(asyncio.create_task(self._probe_loop()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped = True
        await cancel_and_wait([*self._tasks, *self._probes])
        await self.gate.__aexit__()
        await self._api.__aexit__()

    @property
    def queued(self) -> int:
        """How many students are at hand to ask for next."""
        return self._queue.qsize()

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._in_flight)

    @property
    def stalled(self) -> bool:
        """Whether all unfinished items are deferred, so nothing more will happen by itself."""
        return len(self.unfinished) == self.policy.deferred

    @property
    def has_results(self) -> bool:
        """Whether outcomes wait in `pop_results`."""
        return bool(self._results)

    def submit(self, items: Iterable[WorkItem], after: float = 0.0) -> None:
        """Ask for these students as well, in so many seconds."""
        for item in items:
            self.unfinished[item.key] = item
            self._retry(item, after)

    def pop_results(self) -> list[Result]:
        """Return the outcomes since the last call."""
        results, self._results = self._results, []
        return results

    def requeue_results(self, results: Sequence[Result]) -> None:
        """Put results that could not be written back for the next `pop_results`."""
        self._results[:0] = results

    def stop(self) -> None:
        """Send no new request; those in flight go on."""
        self._stopped = True
        for task in self._tasks:
            if task not in self._in_flight:
                task.cancel()

    def raise_if_failed(self) -> None:
        """Raise what ended an asker; nothing should before `stop`."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _fetch_loop(self) -> None:
        task = asyncio.current_task()
        while not self._stopped:
            await self.gate.wait_ready()
            item = await self._queue.get()
            if not await self.gate.acquire():
                self._queue.put_nowait(item)
                continue
            item = self._queue.first(item)
            self._in_flight.add(task)
            try:
                breaker_generation = self.gate.breaker_generation
                answer = await self._request(item)
                self.policy.on_response(item, answer, breaker_generation)
            finally:
                self._in_flight.discard(task)

    async def _probe_loop(self) -> None:
        """While the API counts as down, probe it now and then, alternately with and without a
        student.

        Without one, because all students left may be ones for which a healthy API fails.
        """
        with_student = True
        while True:
            await asyncio.sleep(PROBE_POLL_SECONDS)
            if self.gate.is_open and await self.gate.try_acquire_probe():
                item = self._queue.get_nowait() if with_student and self.queued else None
                task = asyncio.create_task(self._probe_once(item))
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
                with_student = not with_student

    async def _probe_once(self, item: WorkItem | None) -> None:
        answer = await self._request(item)
        alive = not isinstance(answer, Failure) or not (
            answer.counts_as_outage or answer.action is Action.WAIT
        )
        if alive and self.gate.is_open:
            self.gate.close()
        if item and alive:
            self.policy.on_response(item, answer, self.gate.breaker_generation)
        elif item:
            self._queue.put_nowait(item)

    async def _request(self, item: WorkItem | None) -> Answer:
        began = time.perf_counter()
        known = (item.idperson, item.etag) if item else (NOBODY, None)
        answer = await self._api.payments(*known)
        is_retry = item is not None and (item.attempts > 0 or item.waited > 0)
        self.stats.observe(time.perf_counter() - began, answer, is_retry=is_retry)
        self.stats.received = self._api.received
        return answer

    def _complete(self, result: Result) -> None:
        self.unfinished.pop(result.key, None)
        self._results.append(result)

    def _retry(self, item: WorkItem, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self._queue.put_nowait, item)
        else:
            self._queue.put_nowait(item)
