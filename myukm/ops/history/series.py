"""The history as columns for charts and tables: the last hour, day, month or quarter."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from myukm.cache import ttl_cache
from myukm.db import json
from myukm.db.types import to_iso8601, utcnow
from myukm.extensions import db
from myukm.models import SyncRun
from myukm.ops.history import samples
from myukm.ops.history.points import Point
from myukm.ops.history.samples import LONG, MIDDLE, SHORT, Sample
from myukm.queues.counters import RUN, WAIT
from myukm.queues.jobs import QUEUES

CACHED_SECONDS = 10.0
MAX_RUNS = 200


class Range(NamedTuple):
    """A span of the history: samples of step `source` are read and joined to samples of `step`
    (seconds)."""

    span: timedelta
    source: int
    step: int


RANGES: Mapping[str, Range] = {
    "hour": Range(timedelta(hours=1), SHORT, SHORT),
    "day": Range(timedelta(days=1), MIDDLE, MIDDLE),
    "month": Range(timedelta(days=30), LONG, 2 * LONG),
    "quarter": Range(timedelta(days=90), LONG, 6 * LONG),
}


def as_json(name: str) -> str:
    """Return the series of a range (a key of `RANGES`) as JSON, cached for `CACHED_SECONDS`. An
    empty series is not cached, because the page shows the charts as soon as `is_empty` is false."""
    return json.dumps(of_range(name)) if is_empty(name) else _cached_json(name)


@ttl_cache(CACHED_SECONDS)
def _cached_json(name: str) -> str:
    return json.dumps(of_range(name))


def is_empty(name: str) -> bool:
    """Return whether a range has no sample, without reading them all."""
    wanted, now = RANGES[name], utcnow()
    newest = samples.newest_at(db.session(), wanted.source, now)
    return newest is None or newest <= now - wanted.span


def of_range(name: str) -> dict[str, Any]:
    """Return the series of a range: columns of equal length, by queue."""
    wanted, now = RANGES[name], utcnow()
    begin = now - wanted.span
    found = samples.read(db.session(), wanted.source, begin, now)
    if wanted.step != wanted.source:
        found = samples.join(found, wanted.step)
    return {
        "range": name,
        "step": wanted.step,
        "from": to_iso8601(begin),
        "to": to_iso8601(now),
        **_columns(found),
        "runs": _runs(begin),
    }


def since(end: datetime) -> dict[str, Any]:
    """Return the newest sample, which ends at `end`, as a series of one point."""
    found = samples.read(db.session(), SHORT, end - timedelta(seconds=1), end)
    runs = _runs(end - timedelta(minutes=1))
    return {"step": SHORT, "to": to_iso8601(end), **_columns(found), "runs": runs}


def _columns(found: Sequence[Sample]) -> dict[str, Any]:
    return {
        "at": [to_iso8601(sample.at) for sample in found],
        "queues": {name: _queue(name, found) for name in QUEUES},
        "starts": [
            {"at": to_iso8601(sample.at), "role": role, "count": count}
            for sample in found
            for role, count in sample.starts.items()
            if count
        ],
    }


def _queue(name: str, found: Sequence[Sample]) -> dict[str, list[Any]]:
    points = [(sample.queues.get(name, Point()), sample.seconds) for sample in found]
    columns = {key: [getattr(point, key) for point, _ in points] for key in COUNTS}
    return {
        **columns,
        "oldest_seconds": [round(point.oldest_ms / 1000, 1) for point, _ in points],
        "finished_per_minute": [_per_minute(point.finished, span) for point, span in points],
        "failed_per_minute": [_per_minute(point.failed, span) for point, span in points],
        **{
            f"{kind}_p{share}": [_seconds(point.quantile(kind, share / 100)) for point, _ in points]
            for kind in (WAIT, RUN)
            for share in (50, 95)
        },
    }


COUNTS = ("waiting", "running", "workers", "finished", "failed")


def _per_minute(count: int, seconds: int) -> float:
    return round(count * 60 / seconds, 2)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _runs(after: datetime) -> list[dict[str, Any]]:
    """Return the runs that were live at any time since `after`: the newest `MAX_RUNS`, oldest
    first."""
    query = (
        select(SyncRun.id, SyncRun.status, SyncRun.started_at, SyncRun.finished_at)
        .where(or_(SyncRun.finished_at.is_(None), SyncRun.finished_at >= after))
        .order_by(SyncRun.id.desc())
        .limit(MAX_RUNS)
    )
    return [
        {
            "run_id": row.id,
            "status": row.status,
            "started_at": to_iso8601(row.started_at),
            "finished_at": to_iso8601(row.finished_at),
        }
        for row in reversed(db.session.execute(query).all())
    ]
