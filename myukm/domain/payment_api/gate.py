"""The gate to the payment API: circuit breaker, Retry-After, rate budget. A plain object without
loop or network: the lane exchanges its state with other workers (`shared_state.exchange`)."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.rate_limiter import RateLimiter

PROBE_SECONDS = 5.0
WINDOW, MAX_DOWN = 20, 10
MIN_LONGER_WAIT = 0.05

logger = logging.getLogger(__name__)


class Update(NamedTuple):
    """A worker's update for the others: `wait` seconds of a new Retry-After, whether the breaker is
    open or has just `opened` (why: see `Gate.cause`) or `closed`, and how many requests wait for
    how many seconds when they are `slow` to be answered. And what it wants: the right to `probe`,
    and `slots` of the budget, together `width` microseconds long."""

    wait: float
    is_open: bool
    opened: str
    closed: bool
    slow: tuple[int, int] | None
    probe: bool
    slots: int
    width: int


class SharedState(NamedTuple):
    """The shared state: seconds of Retry-After, whether the API is down, whether this worker may
    probe, and in how many seconds its slots begin."""

    wait: float
    down: bool
    probe: bool
    slot: float


class Gate:
    """Decides when the API may be called; `clock` returns seconds.

    `breaker_generation` counts how often the breaker opened: a request sent under an earlier count
    hit an API that was going down. `is_open`: the API counts as down, only probes may ask.
    """

    def __init__(self, rps: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate_limiter = RateLimiter(rps)
        self.breaker_generation = self.reports = 0
        self.is_open = False
        self._clock = clock
        self._recent: deque[str] = deque(maxlen=WINDOW)
        self._opened = ""
        self._closed = self._blocked = self._shared = self._exchanged = False
        self._blocked_until = self._next_probe = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the end of Retry-After."""
        return max(0.0, self._blocked_until - self._clock())

    @property
    def cause(self) -> str:
        """What the last requests met: "errors M/N" when the API answered most failures with an
        error, for M of N students, else "silence"."""
        failures = [code for code in self._recent if code]
        if 2 * failures.count("server_error") > len(failures):
            return f"errors {len(failures)}/{len(self._recent)}"
        return "silence"

    def acquire(self) -> float:
        """Return 0 if a request may be sent now, which uses a slot of the budget; else the minimum
        seconds to wait. Infinite: until the next exchange, as before the first one."""
        if self.is_open or not self._exchanged:
            return math.inf
        return self.wait or self.rate_limiter.acquire(self._clock())

    def record(self, failure: Failure | None, breaker_generation: int, *, fresh: bool) -> None:
        """Record the result of a request (None: success) sent under this breaker generation.

        Only `fresh` students decide whether the API is down, because the last requests of a run are
        all retries of students that keep failing.
        """
        self.reports += 1
        if failure and failure.action is Action.WAIT and failure.wait > self.wait + MIN_LONGER_WAIT:
            self._blocked_until, self._blocked = self._clock() + failure.wait, True
        if fresh and breaker_generation == self.breaker_generation and not self.is_open:
            self._recent.append(failure.code if failure and failure.counts_as_outage else "")
            if len(self._recent) == WINDOW and WINDOW - self._recent.count("") > MAX_DOWN:
                logger.warning("the payment API is down: %s", self.cause)
                self._open(shared=False)

    def close(self) -> None:
        """Close the breaker, because a probe was answered."""
        self._close()
        self._closed = True

    def update(self, ready: int, slow: tuple[int, int] | None = None) -> Update:
        """Return the update for other workers.

        `ready` requests could be sent at once. `slow`: see `Update`.
        """
        now = self._clock()
        blocked = self.is_open or self.wait > 0
        slots = 0 if blocked else self.rate_limiter.slots_to_reserve(now, ready)
        return Update(
            wait=self.wait if self._blocked else 0.0,
            is_open=self.is_open,
            opened=self._opened,
            closed=self._closed,
            slow=slow,
            probe=self.is_open and not self.wait and now >= self._next_probe,
            slots=slots,
            width=self.rate_limiter.width(slots),
        )

    def merge(self, update: Update, shared: SharedState | None) -> bool:
        """Merge the answer to `update` (None: Valkey is unreachable); return whether to probe."""
        now = self._clock()
        self._exchanged = True
        self.rate_limiter.add(now, update.slots, shared.slot if shared else None)
        if shared:
            self._mark_shared(update)
            self._blocked_until = max(self._blocked_until, now + shared.wait)
            # Changes here during the exchange are newer than its answer.
            if self.is_open == update.is_open and not (self._opened or self._closed):
                self._follow(down=shared.down)
        if not (self.is_open and update.probe and (shared is None or shared.probe)):
            return False
        self._next_probe = now + PROBE_SECONDS
        return True

    def _mark_shared(self, update: Update) -> None:
        """Clear the flags of changes that the others now know."""
        if update.wait >= self.wait:
            self._blocked = False
        if update.opened and self._opened:
            self._opened, self._shared = "", True
        if update.closed:
            self._closed = False

    def _follow(self, *, down: bool) -> None:
        if down and not self.is_open:
            logger.warning("the payment API is down, according to another worker")
            self._open(shared=True)
        elif not down and self.is_open and self._shared:
            self._close()

    def _open(self, *, shared: bool) -> None:
        self.breaker_generation += 1
        self.is_open, self._shared, self._closed = True, shared, False
        self._opened = "" if shared else self.cause

    def _close(self) -> None:
        self._recent.clear()
        self.is_open, self._opened = False, ""
