"""Throughput of a run: its samples, its rate, and its ETA."""

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import SyncRun, SyncSample

WINDOW, MAX_GAP, MIN_WINDOW = timedelta(seconds=10), timedelta(seconds=3), timedelta(seconds=1.5)

MAX_SAMPLES = 240
AVERAGED_SAMPLES = 3  # by one point of the chart
MIN_RATES = 3  # of which an uncertainty can be computed
SAMPLE_EVERY = timedelta(seconds=1)


class Point(NamedTuple):
    """The number of processed students at a moment."""

    at: datetime
    processed: int


class Rate(NamedTuple):
    """Students per second; `low` and `high` are the bounds of the 95 % confidence interval."""

    per_second: float
    low: float
    high: float


def rate(run_id: int, processed: int) -> Rate | None:
    """Return the throughput of the last seconds; None while there are too few samples."""
    now = utcnow()
    query = (
        select(SyncSample.at, SyncSample.processed)
        .where(SyncSample.run_id == run_id, SyncSample.at > now - WINDOW)
        .order_by(SyncSample.at.desc())
    )
    points = [Point(now, processed), *(Point(*row) for row in db.session.execute(query))]
    points = list(since_last_gap(points))
    if points[0].at - points[-1].at < MIN_WINDOW:
        return None
    # Rounded first, because the ETA that follows from the displayed rate must lie within its range.
    per_second = round(rate_between(points[-1], points[0]), 1)
    error = uncertainty([rate_between(old, new) for new, old in pairwise(points[1:])])
    return Rate(per_second, max(0.0, per_second - error), per_second + error)


def since_last_gap(points: Sequence[Point]) -> Sequence[Point]:
    """Return the points (newest first) since the last gap, in which no lane worked."""
    gaps = (n for n, (new, old) in enumerate(pairwise(points), 1) if new.at - old.at > MAX_GAP)
    return points[: next(gaps, len(points))]


def rate_between(old: Point, new: Point) -> float:
    """Return the students per second between two points."""
    return (new.processed - old.processed) / max((new.at - old.at).total_seconds(), 0.001)


def uncertainty(rates: Sequence[float]) -> float:
    """Return the uncertainty of the mean of these rates: twice its standard error."""
    if len(rates) < MIN_RATES:
        return 0.0
    return float(2 * statistics.stdev(rates) / len(rates) ** 0.5)


def chart_points(run_id: int, started_at: datetime) -> list[list[float | None]]:
    """Return the points of the run's chart: [seconds since its start, students, failures].

    Students and failures are per second, averaged over a few seconds, and None in a pause or a
    standstill. A long run has fewer points per hour.
    """
    rows, step = _samples(run_id)
    points: list[list[float | None]] = []
    begin = 0
    for index in range(1, len(rows)):
        if rows[index].at - rows[index - 1].at > MAX_GAP * step:
            begin = index
            points.append([_since(rows[index - 1], started_at), None, None])
            continue
        row, before = rows[index], rows[max(begin, index - AVERAGED_SAMPLES)]
        seconds = max((row.at - before.at).total_seconds(), 0.001)
        done, failed = row.processed - before.processed, row.failed - before.failed
        points.append(
            [_since(row, started_at), round(done / seconds, 1), round(failed / seconds, 2)]
        )
    return points


def _since(row: Any, started_at: datetime) -> float:
    return round(float((row.at - started_at).total_seconds()), 1)


def average(run_id: int) -> float | None:
    """Return the students per second while lanes worked, None if unknown."""
    rows, step = _samples(run_id)
    at_work = [pair for pair in pairwise(rows) if pair[1].at - pair[0].at <= MAX_GAP * step]
    seconds = sum((after.at - before.at).total_seconds() for before, after in at_work)
    done = sum(after.processed - before.processed for before, after in at_work)
    return round(done / seconds, 1) if seconds else None


def _samples(run_id: int) -> tuple[Sequence[Any], int]:
    """Return a run's samples and the step: only every `step`-th sample is returned, so that there
    are at most `MAX_SAMPLES`."""
    number = db.session.scalar(select(func.count()).where(SyncSample.run_id == run_id)) or 0
    step = number // MAX_SAMPLES + 1
    query = select(SyncSample.at, SyncSample.processed, SyncSample.failed)
    chosen = query.where(SyncSample.run_id == run_id, SyncSample.id % step == 0)
    return db.session.execute(chosen.order_by(SyncSample.at)).all(), step


def eta(pending: int, rate: Rate | None) -> dict[str, Any]:
    """Return the estimated seconds until `pending` students are done, with lower and upper bound;
    None for unknown values."""
    likely = _seconds(pending, rate.per_second) if rate else None
    least, most = (_seconds(pending, rate.high), _seconds(pending, rate.low)) if rate else (0, 0)
    return {
        "eta_seconds": likely,
        "eta_range_seconds": None if likely is None or most is None else [least, most],
    }


def _seconds(pending: int, per_second: float) -> int | None:
    return round(pending / per_second) if per_second else None


def sample(session: Session, run_id: int) -> None:
    """Store the run's counters, at most once a second, for its chart and rate."""
    last = select(func.max(SyncSample.at)).where(SyncSample.run_id == run_id).scalar_subquery()
    query = select(SyncRun.success, SyncRun.failed, last).where(SyncRun.id == run_id)
    success, failed, sampled_at = session.execute(query).one()
    now = utcnow()
    if sampled_at is None or abs(now - sampled_at) >= SAMPLE_EVERY:
        session.add(SyncSample(run_id=run_id, at=now, processed=success + failed, failed=failed))
