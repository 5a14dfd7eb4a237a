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
# The breaker opens if more than `MAX_DOWN` of the last `WINDOW` first attempts failed.
WINDOW, MAX_DOWN = 20, 10
MIN_LONGER_SECONDS = 0.05  # by which a new Retry-After must exceed the current one

logger = logging.getLogger(__name__)


class Update(NamedTuple):
    """What a worker publishes to the others, and what it requests from the shared state.

    `wait`: the seconds of a new Retry-After, 0 without one. `is_open`: whether the worker's breaker
    is open. `opened`: why the breaker has just opened (`Gate.cause`), else "". `closed`: whether it
    has just closed. `slow`: the number of requests in flight and the seconds without an answer, if
    it is more than `fetcher.SLOW_SECONDS` since the last one. `probe`: the worker requests to send
    the next probe. `slots`: the number of slots of the rate budget that it requests, together
    `width` µs long.
    """

    wait: float
    is_open: bool
    opened: str
    closed: bool
    slow: tuple[int, int] | None
    probe: bool
    slots: int
    width: int


class SharedState(NamedTuple):
    """The shared state: remaining seconds of Retry-After, whether the API is down, whether this
    worker may probe, and the seconds until its slots begin."""

    wait: float
    down: bool
    probe: bool
    slot: float


class Gate:
    """Decides when the API may be called; `clock` returns seconds.

    `is_open`: the API counts as down and only probes are sent. `breaker_generation` counts how
    often the breaker opened: a request of an earlier generation was sent while the API was going
    down, so its failure counts neither for the breaker nor as a try of the student. `reports`
    counts the recorded results.
    """

    def __init__(self, rps: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate_limiter = RateLimiter(rps)
        self.breaker_generation = self.reports = 0
        self.is_open = False
        self._clock = clock
        self._recent: deque[str] = deque(maxlen=WINDOW)
        self._opened = ""
        self._closed = self._has_new_wait = self._open_is_shared = self._exchanged = False
        self._blocked_until = self._next_probe = 0.0

    @property
    def wait(self) -> float:
        """Remaining seconds of Retry-After, 0 without one."""
        return max(0.0, self._blocked_until - self._clock())

    @property
    def cause(self) -> str:
        """Why the API counts as down: "errors M/N" if M of the last N requests failed and most of
        these with a server error, else "silence"."""
        failures = [code for code in self._recent if code]
        if 2 * failures.count("server_error") > len(failures):
            return f"errors {len(failures)}/{len(self._recent)}"
        return "silence"

    def acquire(self) -> float:
        """Return 0 and use a slot if a request may be sent now; else the minimum seconds to wait,
        inf until the next exchange with the other workers."""
        if self.is_open or not self._exchanged:
            return math.inf
        return self.wait or self.rate_limiter.acquire(self._clock())

    def record(self, failure: Failure | None, breaker_generation: int, *, fresh: bool) -> None:
        """Record the result of a request (None: success) sent under this breaker generation.

        Only first attempts (`fresh`) decide whether the API is down, because the last requests of a
        run are all retries of students that keep failing.
        """
        self.reports += 1
        wait = failure.wait if failure and failure.action is Action.WAIT else 0.0
        if wait > self.wait + MIN_LONGER_SECONDS:
            self._blocked_until, self._has_new_wait = self._clock() + wait, True
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
            wait=self.wait if self._has_new_wait else 0.0,
            is_open=self.is_open,
            opened=self._opened,
            closed=self._closed,
            slow=slow,
            probe=self.is_open and not self.wait and now >= self._next_probe,
            slots=slots,
            width=self.rate_limiter.width(slots),
        )

    def merge(self, update: Update, shared: SharedState | None) -> bool:
        """Merge the shared state that answered `update` (None: Valkey is unreachable); return
        whether to send a probe."""
        now = self._clock()
        self._exchanged = True
        self.rate_limiter.add(now, update.slots, shared.slot if shared else None)
        if shared:
            self._mark_shared(update)
            self._blocked_until = max(self._blocked_until, now + shared.wait)
            # If this breaker opened or closed during the exchange, that is newer than its answer.
            if self.is_open == update.is_open and not (self._opened or self._closed):
                self._follow(down=shared.down)
        if not (self.is_open and update.probe and (shared is None or shared.probe)):
            return False
        self._next_probe = now + PROBE_SECONDS
        return True

    def _mark_shared(self, update: Update) -> None:
        """Clear the flags of changes that `update` has published to the other workers."""
        if update.wait >= self.wait:
            self._has_new_wait = False
        if update.opened and self._opened:
            self._opened, self._open_is_shared = "", True
        if update.closed:
            self._closed = False

    def _follow(self, *, down: bool) -> None:
        if down and not self.is_open:
            logger.warning("the payment API is down, according to another worker")
            self._open(shared=True)
        elif not down and self.is_open and self._open_is_shared:
            self._close()

    def _open(self, *, shared: bool) -> None:
        self.breaker_generation += 1
        self.is_open, self._open_is_shared, self._closed = True, shared, False
        self._opened = "" if shared else self.cause

    def _close(self) -> None:
        self._recent.clear()
        self.is_open, self._opened = False, ""
