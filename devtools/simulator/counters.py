"""Counters of the simulator's requests and responses."""

import time
from collections import Counter
from typing import Any


class Counters:
    """Counts requests and responses; `reset` keeps only the open connections and requests."""

    def __init__(self) -> None:
        self.connections = 0
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        self.paths: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bytes_sent = 0
        self.connections_max = self.connections
        self.in_flight_max = self.in_flight
        self._seconds: Counter[int] = Counter()

    def connected(self, change: int) -> None:
        self.connections += change
        self.connections_max = max(self.connections_max, self.connections)

    def started(self) -> None:
        """Count a request, which is in flight from now on."""
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self._seconds[int(time.monotonic())] += 1

    def this_second(self) -> int:
        """Return the number of requests in the current second, including the current one."""
        return self._seconds[int(time.monotonic())]

    def as_json(self) -> dict[str, Any]:
        recent = self._recent(10)
        return {
            "requests": sum(self.paths.values()),
            "paths": dict(self.paths),
            "outcomes": dict(self.outcomes),
            "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "connections": self.connections,
            "connections_max": self.connections_max,
            "bytes_sent": self.bytes_sent,
            "per_second": recent,
            "per_second_max": max(self._seconds.values(), default=0),
            "rate": sum(recent[-5:]) / 5,
        }

    def students(self) -> dict[str, dict[str, int]]:
        """Return the requests and correct responses per student."""
        return {
            idperson: {"asked": asked, "answered": self.answered[idperson]}
            for idperson, asked in self.asked.items()
        }

    def _recent(self, seconds: int) -> list[int]:
        now = int(time.monotonic())
        return [self._seconds[second] for second in range(now - seconds, now)]
