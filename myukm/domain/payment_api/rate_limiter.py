"""Rate limiter: the time slots in which a lane may send requests."""

import math
from collections import deque

AHEAD_SECONDS, LATE_SECONDS = 0.5, 0.1


class RateLimiter:
    """Spreads requests evenly, `rps` per second over all workers (None: unlimited).

    Slots are reserved in Valkey half a second ahead, at the lane's exchange. Without Valkey each
    of `workers` takes its share. A slot that is not used in time expires: made up for, the request
    would exceed the budget of its second. All times are the caller's, in seconds.
    """

    def __init__(self, rps: float | None) -> None:
        self._rps = rps
        self._slots: deque[float] = deque()
        self._used = 0
        self._next_own = 0.0
        self.workers = 1

    def acquire(self, now: float) -> float:
        """Return 0 when a request may go out now, which uses its slot; else the seconds to wait:
        infinite when no slot is reserved."""
        if self._rps is None:
            return 0.0
        while self._slots and self._slots[0] < now - LATE_SECONDS:
            self._slots.popleft()
        if not self._slots:
            return math.inf
        if self._slots[0] > now:
            return self._slots[0] - now
        self._slots.popleft()
        self._used += 1
        return 0.0

    def wanted(self, now: float, ready: int) -> int:
        """Return how many slots to reserve when `ready` requests could go out at once.

        As many as were used since the last call come on top: so many are ready again soon.
        """
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
        """Add `count` slots which begin in `wait` seconds, or by our own reckoning (None)."""
        if not self._rps or not count:
            return
        step = 1 / self._rps
        if wait is None:
            step *= self.workers
            wait = max(0.0, self._next_own - now)
            self._next_own = now + wait + count * step
        self._slots.extend(now + wait + step * number for number in range(count))
