"""How fast a run goes now, from its samples, and what that means for its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import func, select

from myukm.database import utcnow
from myukm.extensions import db
from myukm.models import SyncSample

WINDOW, GAP, SHORTEST = timedelta(seconds=10), timedelta(seconds=3), timedelta(seconds=1.5)

MOST_SAMPLES, SMOOTH = 240, 3


class Point(NamedTuple):
    """How many students were processed at a moment."""

    at: datetime
    processed: int


def rate(run_id: int, processed: int) -> float | None:
    """Return the students per second of the last seconds; None as long as that says nothing."""
    now = utcnow()
    query = (
        select(SyncSample.at, SyncSample.processed)
        .where(SyncSample.run_id == run_id, SyncSample.at > now - WINDOW)
        .order_by(SyncSample.at.desc())
    )
    points = [Point(now, processed), *(Point(*row) for row in db.session.execute(query))]
    first = start_of_window(points)
    if now - first.at < SHORTEST:
        return None
    return round((processed - first.processed) / (now - first.at).total_seconds(), 1)


def start_of_window(points: Sequence[Point]) -> Point:
    """Return the oldest point (newest come first) before a gap: in a gap nobody was at work."""
    first = points[0]
    for point in points[1:]:
        if first.at - point.at > GAP:
            break
        first = point
    return first


def series(run_id: int, started_at: datetime) -> list[list[float]]:
    """Return the run's course for a chart, as [seconds since its start, students, failures].

    Both are per second, over the samples of a few seconds; a long run is told in larger steps.
    """
    rows, _step = _samples(run_id)
    points = []
    for place in range(1, len(rows)):
        row, before = rows[place], rows[max(0, place - SMOOTH)]
        seconds = max((row.at - before.at).total_seconds(), 0.001)
        at = (row.at - started_at).total_seconds()
        done, failed = row.processed - before.processed, row.failed - before.failed
        points.append([round(at, 1), round(done / seconds, 1), round(failed / seconds, 2)])
    return points


def average(run_id: int) -> float | None:
    """Return the students per second while somebody was at work; None when that is not known."""
    rows, step = _samples(run_id)
    at_work = [pair for pair in pairwise(rows) if pair[1].at - pair[0].at <= GAP * step]
    seconds = sum((after.at - before.at).total_seconds() for before, after in at_work)
    done = sum(after.processed - before.processed for before, after in at_work)
    return round(done / seconds, 1) if seconds else None


def _samples(run_id: int) -> tuple[Sequence[Any], int]:
    """The run's samples, only each so-manieth (the second value) when there are very many."""
    number = db.session.scalar(select(func.count()).where(SyncSample.run_id == run_id)) or 0
    step = number // MOST_SAMPLES + 1
    query = select(SyncSample.at, SyncSample.processed, SyncSample.failed)
    chosen = query.where(SyncSample.run_id == run_id, SyncSample.id % step == 0)
    return db.session.execute(chosen.order_by(SyncSample.at)).all(), step


def seconds_left(pending: int, per_second: float | None) -> int | None:
    """Return the seconds until `pending` students are done; None when that can't be known."""
    return round(pending / per_second) if per_second else None
