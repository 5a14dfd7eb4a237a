"""Watchdog of rows that one job at a time works on (the row's holder). The leader runs it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from myukm.domain.standstill import Standstill

LOST_SECONDS = 3.0


class OpenRow(NamedTuple):
    """A row that needs work. `holder` is dead after `timeout` seconds without a heartbeat."""

    id: int
    holder: str | None
    heartbeat: int
    timeout: float


class HolderWatchdog:
    """Releases rows of dead holders, and replaces the jobs of rows that have no holder.

    `rows` reads the rows that need work; `release` takes id, holder and heartbeat; `jobless` takes
    ids and returns the ids without a job in the queue; `serve` enqueues a job for an id, or gives
    the row up. It is called when a row's job has been missing for `lost_seconds`.
    """

    def __init__(
        self,
        rows: Callable[[], Iterable[OpenRow]],
        release: Callable[[int, str, int], object],
        jobless: Callable[[Collection[int]], Iterable[int]],
        serve: Callable[[int], object],
        lost_seconds: float = LOST_SECONDS,
    ) -> None:
        self._rows, self._release, self._jobless, self._serve = rows, release, jobless, serve
        self._held: dict[float, Standstill[tuple[int, str]]] = {}
        self._lost = Standstill[int](lost_seconds)

    def watch(self) -> None:
        """Run one round of checks."""
        rows = list(self._rows())
        held = defaultdict[float, dict[tuple[int, str], int]](dict)
        for row in rows:
            if row.holder:
                held[row.timeout][row.id, row.holder] = row.heartbeat
        for timeout, heartbeats in held.items():
            standstill = self._held.setdefault(timeout, Standstill(timeout))
            for dead in standstill.of(heartbeats):
                self._release(*dead, heartbeats[dead])
        free = [row.id for row in rows if not row.holder]
        jobless = dict.fromkeys(self._jobless(free)) if free else {}
        for lost in self._lost.of(jobless):
            self._serve(lost)
