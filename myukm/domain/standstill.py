"""Detectors of stopped heartbeats and of repeated findings. They compare no clocks of machines,
which differ and jump: `Standstill` uses this process's monotonic clock."""

import time
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Standstill(Generic[K]):
    """Detects values, such as heartbeats, that have not changed for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[K, tuple[Hashable, float]] = {}

    def of(self, values: Mapping[K, Hashable]) -> list[K]:
        """Record the current values and return the keys whose value has stood still.

        A key that is missing from `values` is deleted.
        """
        now = time.monotonic()
        seen = {}
        for key, value in values.items():
            before, since = self._seen.get(key, (value, now))
            seen[key] = (value, since if before == value else now)
        self._seen = seen
        return [key for key, (_value, since) in seen.items() if now - since >= self._seconds]


class SeenTwice(Generic[K]):
    """Detects findings of two polls in a row, so that a single false finding has no effect."""

    def __init__(self) -> None:
        self._before: set[K] = set()

    def of(self, found: Iterable[K]) -> set[K]:
        """Record the findings of this poll and return those that the last poll had as well."""
        now = set(found)
        again, self._before = now & self._before, now
        return again
