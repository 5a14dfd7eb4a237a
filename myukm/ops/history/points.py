"""A point is what one queue did in a span of time. How points are made and joined."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from myukm.histogram import quantile
from myukm.queues.counters import BOUNDS, RUN, WAIT


class Point(msgspec.Struct, frozen=True):
    """One queue in one span: the highest numbers of waiting and running jobs, the highest age (ms)
    of the oldest waiting job, the lowest number of workers; how many jobs finished and failed, and
    histograms of how long these waited and ran (buckets of `counters.BOUNDS`)."""

    waiting: int = 0
    oldest_ms: int = 0
    running: int = 0
    workers: int = 0
    finished: int = 0
    failed: int = 0
    wait: list[int] = []
    run: list[int] = []

    def quantile(self, kind: str, share: float) -> float | None:
        """Return the seconds within which this share of the jobs waited or ran (`kind`); None
        without jobs."""
        return quantile(BOUNDS, self.wait if kind == WAIT else self.run, share)


def measured(row: Mapping[str, Any], increase: Mapping[str, int]) -> Point:
    """Return the point of a queue from its row of `stats.health()` and its totals' increase."""
    return Point(
        waiting=row["waiting"],
        oldest_ms=round((row["oldest_seconds"] or 0) * 1000),
        running=row["running"],
        workers=row["workers"],
        finished=increase.get("finished", 0),
        failed=increase.get("failed", 0),
        wait=_histogram(increase, WAIT),
        run=_histogram(increase, RUN),
    )


def growth(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return by how much counters grew. If one of them shrank, Valkey lost its data and all began
    again at zero."""
    if any(now.get(name, 0) < value for name, value in before.items()):
        before = {}
    return {name: value - before.get(name, 0) for name, value in now.items()}


def joined(points: Sequence[Point]) -> Point:
    """Return the point of a span from the points of its parts (one or more)."""
    return Point(
        waiting=max(point.waiting for point in points),
        oldest_ms=max(point.oldest_ms for point in points),
        running=max(point.running for point in points),
        workers=min(point.workers for point in points),
        finished=sum(point.finished for point in points),
        failed=sum(point.failed for point in points),
        wait=_sums(point.wait for point in points),
        run=_sums(point.run for point in points),
    )


def _sums(histograms: Iterable[Sequence[int]]) -> list[int]:
    return [sum(counts) for counts in zip_longest(*histograms, fillvalue=0)]


def _histogram(increase: Mapping[str, int], kind: str) -> list[int]:
    """Return the buckets without the empty ones at the end, because most samples have few jobs."""
    last = max((i for i in range(len(BOUNDS) + 1) if increase.get(f"{kind}:{i}")), default=-1)
    return [increase.get(f"{kind}:{index}", 0) for index in range(last + 1)]
