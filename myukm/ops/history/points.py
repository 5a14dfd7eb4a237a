"""What a queue did in a span of time, and how such points are made and joined."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from myukm.histogram import quantile
from myukm.queues.counters import BOUNDS, RUN, WAIT


class Point(msgspec.Struct, frozen=True):
    """One queue in one span: the most that waited and ran, the age (ms) of the oldest that waited,
    the fewest workers; the sum of the jobs that finished and failed, and the histograms of how long
    they waited and ran (by `counters.BOUNDS`)."""

    waiting: int = 0
    oldest_ms: int = 0
    running: int = 0
    workers: int = 0
    finished: int = 0
    failed: int = 0
    wait: list[int] = []
    run: list[int] = []

    def quantile(self, kind: str, share: float) -> float | None:
        """Return for how many seconds that share of the jobs waited or ran at most."""
        return quantile(BOUNDS, self.wait if kind == WAIT else self.run, share)


def measured(row: Mapping[str, Any], grown: Mapping[str, int]) -> Point:
    """Return the point of a queue's row of `stats.health()` and by how much its totals grew."""
    return Point(
        waiting=row["waiting"],
        oldest_ms=round((row["oldest_seconds"] or 0) * 1000),
        running=row["running"],
        workers=row["workers"],
        finished=grown.get("finished", 0),
        failed=grown.get("failed", 0),
        wait=_histogram(grown, WAIT),
        run=_histogram(grown, RUN),
    )


def growth(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return by how much counters grew; those that shrank began again at zero, because Valkey lost
    its data."""
    if any(now.get(name, 0) < value for name, value in before.items()):
        before = {}
    return {name: value - before.get(name, 0) for name, value in now.items()}


def joined(points: Sequence[Point]) -> Point:
    """Return the point of a span from the points of its parts (at least one)."""
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


def _histogram(grown: Mapping[str, int], kind: str) -> list[int]:
    """Return the buckets without the empty ones at the end, because most samples have few jobs."""
    last = max((i for i in range(len(BOUNDS) + 1) if grown.get(f"{kind}:{i}")), default=-1)
    return [grown.get(f"{kind}:{index}", 0) for index in range(last + 1)]
