"""How fast a run goes now, from its samples, and what that means for its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from myukm.database import utcnow
from myukm.extensions import db
from myukm.models import SyncSample

WINDOW, GAP, SHORTEST = timedelta(seconds=10), timedelta(seconds=3), timedelta(seconds=1.5)


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


def seconds_left(pending: int, per_second: float | None) -> int | None:
    """Return the seconds until `pending` students are done; None when that can't be known."""
    return round(pending / per_second) if per_second else None
