"""Takes a sample of the queues every ten seconds. A task of the leader, so there is one sampler.

A sample counts the jobs that ended since the previous sample. If no process led meanwhile, that was
long ago: the sample's `seconds` say how long, so that no job is missing and no rate is wrong. The
time without samples is a gap in the charts.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.live import pubsub
from myukm.models import QueueSample
from myukm.ops import process_registry, stats
from myukm.ops.history import samples, series
from myukm.ops.history.points import growth, measured
from myukm.ops.history.samples import SHORT, Sample
from myukm.queues import counters
from myukm.queues.jobs import QUEUES


class Sampler:
    """Takes the samples of `SHORT` seconds, and joins them to samples of the longer steps."""

    def __init__(self) -> None:
        self._taken: datetime | None = None

    def run(self) -> None:
        """Take a sample if the clock has passed the end of the next span."""
        end = samples.last_end(utcnow(), SHORT)
        if end == self._taken:
            return
        health = stats.health()
        if not health["valkey"]:
            return
        totals = _totals()
        with transaction() as session:
            sample = _since_the_last(session, end, health, totals)
            if sample:
                row = samples.as_values(sample)
                session.execute(insert(QueueSample).values(step=SHORT, totals=totals, **row))
                samples.roll_up(session, end)
                on_commit(_publish, end)
        self._taken = end


def _totals() -> dict[str, dict[str, int]]:
    return {**counters.totals(QUEUES), "starts": process_registry.start_totals()}


def _since_the_last(
    session: Session, end: datetime, health: dict[str, Any], totals: dict[str, dict[str, int]]
) -> Sample | None:
    """Return the sample that ends at `end`; None if another process has taken it."""
    last = session.execute(
        select(QueueSample.at, QueueSample.totals)
        .where(QueueSample.step == SHORT, QueueSample.at <= end)
        .order_by(QueueSample.at.desc())
        .limit(1)
    ).first()
    if last and last.at == end:
        return None
    # The very first sample has no previous totals, so it counts no job.
    before = (last.totals if last else totals) or {}
    grown = {name: growth(before.get(name, {}), now) for name, now in totals.items()}
    return Sample(
        end,
        round((end - last.at).total_seconds()) if last else SHORT,
        {row["name"]: measured(row, grown[row["name"]]) for row in health["queues"]},
        grown["starts"],
    )


def _publish(end: datetime) -> None:
    """Publish the new sample to open pages. A page that missed one loads the series again."""
    pubsub.publish_transient("queue", "queue.history", series.since(end))
