"""Counters and histograms for the metrics, counted in each process and added up in Valkey.

Counting in memory costs little; the counts are flushed every few seconds (`ops/periodic_tasks.py`)
and at the end of each job. Labels must be few and must not contain texts of users.
"""

import os
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

import redis
from redis.exceptions import RedisError

from myukm.histogram import bucket

KEY = "myukm:metrics"
COUNT, MILLISECONDS = "count", "ms"
# Upper bounds (seconds) of the histogram of HTTP requests; its last bucket has no bound.
HTTP_BOUNDS = (0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
HTTP, API, SENT, DROPPED = "http", "api", "events_sent", "events_dropped"

Labels = tuple[str, ...]


class _Pending:
    """What was counted since the last flush."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Set all counts to zero. Called in a fork, because its parent flushes the earlier
        counts."""
        self.lock, self.counts = threading.Lock(), Counter[str]()

    def add(self, counts: Mapping[str, int]) -> None:
        """Add to the pending counts."""
        with self.lock:
            for field, by in counts.items():
                self.counts[field] += by

    def take(self) -> Mapping[str, int]:
        """Return the pending counts, and set them to zero."""
        with self.lock:
            taken, self.counts = self.counts, Counter()
        return taken


_pending = _Pending()
os.register_at_fork(after_in_child=_pending.clear)


def increment(name: str, *labels: str, by: int = 1) -> None:
    """Count `by` events of a counter."""
    _pending.add({_field(name, labels, COUNT): by})


def observe(name: str, bounds: Sequence[float], seconds: float, *labels: str) -> None:
    """Count a duration in a histogram with these upper bounds."""
    _pending.add(
        {
            _field(name, labels, str(bucket(bounds, seconds))): 1,
            _field(name, labels, MILLISECONDS): round(seconds * 1000),
        }
    )


def flush(client: redis.Redis) -> None:
    """Add this process's counts to the totals. If Valkey does not answer, they stay pending and
    `RedisError` is raised; if it only answered too late, they are counted twice."""
    taken = _pending.take()
    if not taken:
        return
    try:
        with client.pipeline() as pipe:
            for field, by in taken.items():
                pipe.hincrby(KEY, field, by)
            pipe.execute()
    except RedisError:
        _pending.add(taken)
        raise


def totals(client: redis.Redis) -> dict[str, dict[Labels, dict[str, int]]]:
    """Return the totals of all processes by name and labels: under `COUNT` for a counter; for a
    histogram under the number of each bucket, and the sum under `MILLISECONDS`. Raises
    `RedisError`."""
    found: dict[str, dict[Labels, dict[str, int]]] = {}
    for field, value in cast(dict[bytes, bytes], client.hgetall(KEY)).items():
        name, *labels, leaf = field.decode().split("|")
        found.setdefault(name, {}).setdefault(tuple(labels), {})[leaf] = int(value)
    return found


def _field(name: str, labels: Labels, leaf: str) -> str:
    return "|".join((name, *labels, leaf))
