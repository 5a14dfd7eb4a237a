"""A fetch pool: keeps a fixed number of requests in flight."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Self

from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import Gate, SharedState, Update
from myukm.domain.payment_api.metrics import RequestStats
from myukm.domain.payment_api.parser import Answer
from myukm.domain.payment_api.retry_policy import RetryPolicy, Verdict
from myukm.domain.payment_api.work_item import Item

NOBODY = "-"  # an id that no student has
SLOW_SECONDS = 5.0


class FetchPool:
    """Fetches students' payments, `width` requests at a time. Used as `async with`.

    Requested students (`Item.requested`) come first, in their order, and one of them may be in
    flight beyond `width`. Nothing is sent before the first `merge`. `unfinished` are the students
    without a result, by `Item.key`.
    """

    def __init__(self, settings: Mapping[str, Any], width: int) -> None:
        self.gate = Gate(settings["PEMBAYARAN_API_RPS"])
        self.policy = RetryPolicy(self.gate, settings["PEMBAYARAN_API_TRIES"])
        self.unfinished: dict[tuple[bool, int], Item] = {}
        self.stats = RequestStats()
        self._api = PaymentApi(settings)
        self._width = width
        self._queue: deque[Item] = deque()
        self._requested: deque[Item] = deque()
        self._results: list[Item] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._error: BaseException | None = None
        self._stopped = self._probe_with_student = False
        self._last_answer_at = 0.0

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        for request in self._requests:
            request.cancel()
        if self._requests:
            await asyncio.wait(self._requests)
        await self._api.__aexit__()

    @property
    def queued(self) -> int:
        """The number of queued students."""
        return len(self._queue) + len(self._requested)

    @property
    def in_flight(self) -> int:
        """The number of requests in flight."""
        return len(self._requests)

    @property
    def stalled(self) -> bool:
        """Whether all unfinished items are deferred, so that no more responses will come."""
        return len(self.unfinished) == self.policy.deferred

    @property
    def has_results(self) -> bool:
        """Whether results wait in `pop_results`."""
        return bool(self._results)

    def submit(self, items: Iterable[Item], delay: float = 0.0) -> None:
        """Queue these students in `delay` seconds."""
        for item in items:
            self.unfinished[item.key] = item
            self._enqueue_later(item, delay)

    def pop_results(self) -> list[Item]:
        """Return the results since the last call."""
        results, self._results = self._results, []
        return results

    def requeue_results(self, results: Sequence[Item]) -> None:
        """Put back results that could not be written; the next `pop_results` returns them."""
        self._results[:0] = results

    def review_deferred(self, *, idle: bool) -> None:
        """Decide about deferred students; `idle`: no more responses are expected."""
        self._carry_out(self.policy.review_deferred(idle=idle))

    def update(self) -> Update:
        """Return the update for other workers; after `stop` it requests no probe and no slots."""
        update = self.gate.update(max(0, min(self.queued, self._room)), self._slow)
        return update._replace(probe=False, slots=0) if self._stopped else update

    @property
    def _slow(self) -> tuple[int, int] | None:
        """The requests in flight and the seconds since the last answer; None up to
        `SLOW_SECONDS`."""
        seconds = time.monotonic() - self._last_answer_at
        return (self.in_flight, int(seconds)) if self._requests and seconds > SLOW_SECONDS else None

    def merge(self, update: Update, shared: SharedState | None) -> None:
        """Merge the shared state, received in reply to `update` (None: Valkey is unreachable), and
        send the requests that are allowed."""
        if self.gate.merge(update, shared):
            self._start(self._probe(self._next_to_probe()))
        self._send()

    def stop(self) -> None:
        """Send no new requests; those in flight continue."""
        self._stopped = True

    def raise_if_failed(self) -> None:
        """Raise the unexpected error of a request, if there was one."""
        if self._error:
            raise self._error

    def _send(self) -> None:
        """Send as many requests as the width and the gate allow."""
        while self.queued and self._room > 0 and not self._stopped:
            if wait := self.gate.acquire():
                self._send_later(wait)
                return
            self._start(self._fetch(self._next()))

    def _send_later(self, wait: float) -> None:
        if self._timer:
            self._timer.cancel()
        if wait < math.inf:
            self._timer = asyncio.get_running_loop().call_later(wait, self._send)

    @property
    def _room(self) -> int:
        """How many requests may be sent now, one more if the next student is a requested one."""
        return self._width + bool(self._requested) - self.in_flight

    def _next(self) -> Item:
        return (self._requested or self._queue).popleft()

    def _start(self, request: Coroutine[Any, Any, None]) -> None:
        if not self._requests:
            self._last_answer_at = time.monotonic()
        task = asyncio.create_task(request)
        self._requests.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            self._error = self._error or task.exception()
        self._send()

    async def _fetch(self, item: Item) -> None:
        breaker_generation = self.gate.breaker_generation
        answer = await self._request(item)
        self._carry_out(self.policy.classify(item, answer, breaker_generation))

    def _next_to_probe(self) -> Item | None:
        """Return the student to probe with. For every second probe None (`NOBODY`), because a
        healthy API may fail for each of the students that are left."""
        self._probe_with_student = not self._probe_with_student
        return self._next() if self._probe_with_student and self.queued else None

    async def _probe(self, item: Item | None) -> None:
        answer = await self._request(item)
        alive = not isinstance(answer, Failure) or not (
            answer.counts_as_outage or answer.action is Action.WAIT
        )
        if isinstance(answer, Failure) and not alive:
            self.gate.record(answer, self.gate.breaker_generation, fresh=False)
        if alive and self.gate.is_open:
            self.gate.close()
        if item and alive:
            self._carry_out(self.policy.classify(item, answer, self.gate.breaker_generation))
        elif item:
            self._enqueue(item)

    async def _request(self, item: Item | None) -> Answer:
        began = time.perf_counter()
        idperson, etag = (item.idperson, item.etag) if item else (NOBODY, None)
        answer = await self._api.payments(idperson, etag)
        self._last_answer_at = time.monotonic()
        is_retry = item is not None and (item.attempts > 0 or item.retry_after_seconds > 0)
        self.stats.observe(time.perf_counter() - began, answer, is_retry=is_retry)
        self.stats.received = self._api.received
        return answer

    def _carry_out(self, verdicts: Iterable[Verdict]) -> None:
        for item, retry_in in verdicts:
            if retry_in is None:
                self.unfinished.pop(item.key, None)
                self._results.append(item)
            else:
                self._enqueue_later(item, retry_in)

    def _enqueue_later(self, item: Item, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self._enqueue, item)
        else:
            self._enqueue(item)

    def _enqueue(self, item: Item) -> None:
        (self._requested if item.requested else self._queue).append(item)
        self._send()
