"""Counters of finished and failed jobs. Kept by us, because RQ's registries expire.

Valkey hashes per queue: one per hour with a field per minute, one per day (campus time zone), and
one of totals since Valkey's data began, from which the history (`ops/history`) and the metrics are
made. The totals also have the histograms of how long jobs waited and ran.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import get_current_job

from myukm import instruments
from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.histogram import bucket
from myukm.i18n import campus_timezone

RETENTION = timedelta(days=2)
# Upper bounds (seconds) of the histograms' buckets; the last bucket has none.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 3600.0)
WAIT, RUN = "wait", "run"


class Counts(NamedTuple):
    """A queue's job counts; `rate_per_minute` covers the last one to two minutes."""

    finished_hour: int
    failed_hour: int
    finished_today: int
    failed_today: int
    rate_per_minute: float


class Times(NamedTuple):
    """The seconds that a job waited and ran."""

    wait: float
    run: float


@contextlib.contextmanager
def count_jobs() -> Iterator[None]:
    """Count the RQ job run inside the block as finished, or as failed if it raises.

    The waiting time compares two clocks, the database's and that of the enqueuing host, so it is
    off by their skew.
    """
    job, began = get_current_job(), time.monotonic()
    enqueued_at = job.enqueued_at if job else None
    wait = max(0.0, (utcnow() - enqueued_at).total_seconds()) if enqueued_at else 0.0
    outcome = "failed"
    try:
        yield
        outcome = "finished"
    finally:
        if job:
            count(job.origin, outcome, Times(wait, time.monotonic() - began))
            with contextlib.suppress(RedisError):
                instruments.flush(valkey())


def count(queue: str, outcome: str, times: Times | None = None) -> None:
    """Increment the counters of `queue` for `outcome` ("finished" or "failed").

    `times` is None for a killed job. While Valkey is unreachable jobs are not counted, because a
    job must not fail over a statistic.
    """
    now = utcnow()
    with contextlib.suppress(RedisError), valkey().pipeline(transaction=False) as pipe:
        pipe.hincrby(_hour_key(queue, now), f"{outcome}:{now:%M}", 1)
        pipe.expire(_hour_key(queue, now), RETENTION)
        pipe.hincrby(_day_key(queue, now), outcome, 1)
        pipe.expire(_day_key(queue, now), RETENTION)
        pipe.hincrby(_total_key(queue), outcome, 1)
        for kind, seconds in (times._asdict() if times else {}).items():
            pipe.hincrby(_total_key(queue), f"{kind}:{bucket(BOUNDS, seconds)}", 1)
            pipe.hincrby(_total_key(queue), f"{kind}_ms", round(seconds * 1000))
        pipe.execute()


def queue_reads(pipe: Pipeline, queue: str, now: datetime) -> None:
    """Add the three reads to `pipe` whose answers `parse` takes."""
    pipe.hgetall(_hour_key(queue, now))
    pipe.hgetall(_hour_key(queue, now - timedelta(hours=1)))
    pipe.hgetall(_day_key(queue, now))


def parse(answers: list[Any], now: datetime) -> Counts:
    """Return the counts from the answers to `queue_reads`."""
    this_hour, hour_before, today = (_numbers(answer) for answer in answers)
    minute = now.minute

    def last_hour(outcome: str) -> int:
        here = (f"{outcome}:{m:02}" for m in range(minute + 1))
        before = (f"{outcome}:{m:02}" for m in range(minute + 1, 60))
        return sum(this_hour.get(f, 0) for f in here) + sum(hour_before.get(f, 0) for f in before)

    earlier = this_hour if minute else hour_before
    recent = this_hour.get(f"finished:{minute:02}", 0)
    recent += earlier.get(f"finished:{(minute - 1) % 60:02}", 0)
    return Counts(
        last_hour("finished"),
        last_hour("failed"),
        today.get("finished", 0),
        today.get("failed", 0),
        round(recent * 60 / (60 + now.second), 1),
    )


def totals(queues: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the totals of each queue since Valkey's data began, in one round trip: finished and
    failed jobs, the buckets of both histograms (see `histogram`) and their sums (ms)."""
    with valkey().pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.hgetall(_total_key(queue))
        return dict(zip(queues, map(_numbers, pipe.execute()), strict=True))


def histogram(totals: Mapping[str, int], kind: str) -> list[int]:
    """Return how many jobs waited (`WAIT`) or ran (`RUN`) within each bucket of `BOUNDS`."""
    return [totals.get(f"{kind}:{index}", 0) for index in range(len(BOUNDS) + 1)]


def _numbers(answer: Mapping[bytes, bytes]) -> dict[str, int]:
    return {field.decode(): int(value) for field, value in answer.items()}


def _hour_key(queue: str, now: datetime) -> str:
    return f"myukm:jobs:{queue}:hour:{now:%Y%m%d%H}"


def _total_key(queue: str) -> str:
    return f"myukm:jobs:{queue}:total"


def _day_key(queue: str, now: datetime) -> str:
    there = now.astimezone(campus_timezone())
    return f"myukm:jobs:{queue}:day:{there:%Y%m%d}"
