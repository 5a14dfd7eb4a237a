"""Rate limiter: the time slots in which a lane may send requests."""

import math
from collections import deque

AHEAD_SECONDS, LATE_SECONDS = 0.5, 0.1


class RateLimiter:
    """Spreads requests evenly, `rps` per second over all workers (None: unlimited).

    Slots are reserved in Valkey half a second ahead, when the lane exchanges state. Without Valkey
    each of `workers` sends at rps / `workers`. A slot that is not used within LATE_SECONDS expires
    and is not replaced, because its request would exceed the budget of a later second.

    `now` is the caller's monotonic clock. Times are in seconds unless stated otherwise.
    """

    def __init__(self, rps: float | None) -> None:
        self._rps = rps
        self._slots: deque[float] = deque()
        self._used = 0
        self._next_own = 0.0
        self.workers = 1

    def acquire(self, now: float) -> float:
        """Return 0 and use a slot if a request may go out now; else the seconds to the next slot,
        inf if none is reserved."""
        if self._rps is None:
            return 0.0
        self._drop_expired(now)
        if not self._slots:
            return math.inf
        if self._slots[0] > now:
            return self._slots[0] - now
        self._slots.popleft()
        self._used += 1
        return 0.0

    def slots_to_reserve(self, now: float, ready: int) -> int:
        """Return how many slots to reserve when `ready` requests could go out at once.

        Slots used since the last call are added, because as many requests will soon be ready again.
        """
        self._drop_expired(now)
        demand, self._used = ready + self._used, 0
        if self._rps is None or not demand:
            return 0
        reserved_until = max(now, self._slots[-1] if self._slots else now)
        room = math.floor((now + AHEAD_SECONDS - reserved_until) * self._rps)
        return max(min(demand - len(self._slots), room), 0 if self._slots else 1)

    def width(self, count: int) -> int:
        """Return how long `count` slots are, in microseconds."""
        return math.ceil(count / self._rps * 1e6) if self._rps else 0

    def add(self, now: float, count: int, wait: float | None) -> None:
        """Add `count` slots that begin in `wait` seconds; None: without Valkey, after our own last
        slot."""
        if not self._rps or not count:
            return
        step = 1 / self._rps
        if wait is None:
            step *= self.workers
            wait = max(0.0, self._next_own - now)
            self._next_own = now + wait + count * step
        self._slots.extend(now + wait + step * number for number in range(count))

    def _drop_expired(self, now: float) -> None:
        while self._slots and self._slots[0] < now - LATE_SECONDS:
            self._slots.popleft()
