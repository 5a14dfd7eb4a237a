"""Counters of finished and failed jobs. Kept by us, because RQ's registries expire.

Valkey hashes per queue: one per hour with a field per minute, one per day (campus time zone), and
one total for the metrics.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import get_current_job

from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.i18n import campus_timezone

RETENTION = timedelta(days=2)


class Counts(NamedTuple):
    """A queue's job counts; `rate_per_minute` covers the last one to two minutes."""

    finished_hour: int
    failed_hour: int
    finished_today: int
    failed_today: int
    rate_per_minute: float


@contextlib.contextmanager
def count_jobs() -> Iterator[None]:
    """Count the RQ job run inside the block as finished, or as failed if it raises."""
    outcome = "failed"
    try:
        yield
        outcome = "finished"
    finally:
        if job := get_current_job():
            count(job.origin, outcome)


def count(queue: str, outcome: str) -> None:
    """Increment the counters of `queue` for `outcome` ("finished" or "failed").

    The count is lost while Valkey is unreachable, because a job must not fail over a statistic.
    """
    now = utcnow()
    with contextlib.suppress(RedisError), valkey().pipeline(transaction=False) as pipe:
        pipe.hincrby(_hour_key(queue, now), f"{outcome}:{now:%M}", 1)
        pipe.expire(_hour_key(queue, now), RETENTION)
        pipe.hincrby(_day_key(queue, now), outcome, 1)
        pipe.expire(_day_key(queue, now), RETENTION)
        pipe.hincrby(_total_key(queue), outcome, 1)
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


def totals(queue: str) -> dict[str, int]:
    """Return all finished and failed jobs of `queue` since Valkey's data began."""
    return _numbers(cast(Mapping[bytes, bytes], valkey().hgetall(_total_key(queue))))


def _numbers(answer: Mapping[bytes, bytes]) -> dict[str, int]:
    return {field.decode(): int(value) for field, value in answer.items()}


def _hour_key(queue: str, now: datetime) -> str:
    return f"myukm:jobs:{queue}:hour:{now:%Y%m%d%H}"


def _total_key(queue: str) -> str:
    return f"myukm:jobs:{queue}:total"


def _day_key(queue: str, now: datetime) -> str:
    there = now.astimezone(campus_timezone())
    return f"myukm:jobs:{queue}:day:{there:%Y%m%d}"
