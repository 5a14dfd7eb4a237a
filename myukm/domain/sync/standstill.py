"""What stands still, by this process's own clock: clocks of machines differ and jump."""

import time
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Standstill(Generic[K]):
    """Says which values have not changed for `seconds`; one that is seen no more is forgotten."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[K, tuple[Hashable, float]] = {}

    def of(self, values: Mapping[K, Hashable]) -> list[K]:
        """Take in the values of now and return the keys of those that stand still."""
        now = time.monotonic()
        seen = {}
        for key, value in values.items():
            before, since = self._seen.get(key, (value, now))
            seen[key] = (value, since if before == value else now)
        self._seen = seen
        return [key for key, (_value, since) in seen.items() if now - since >= self._seconds]
