"""The rows of the history: reading them, and joining short steps to longer ones."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from myukm.db.session import delete_some, transaction
from myukm.db.types import utcnow
from myukm.models import QueueSample
from myukm.ops.history.points import Point, joined

# The steps, in seconds.
SHORT, MIDDLE, LONG = 10, 300, 3600
# How long the samples of each step (seconds) are kept: at most 8,640 + 25,920 + 2,160 rows.
KEPT = {SHORT: timedelta(days=1), MIDDLE: timedelta(days=90), LONG: timedelta(days=90)}
PORTION = 1000  # rows
COLUMNS = (QueueSample.at, QueueSample.seconds, QueueSample.queues, QueueSample.starts)


class Sample(NamedTuple):
    """What the queues did in the `seconds` before `at`, and how many processes of each role
    started."""

    at: datetime
    seconds: int
    queues: dict[str, Point]
    starts: dict[str, int]


def last_end(moment: datetime, step: int) -> datetime:
    """Return when the last span of `step` seconds ended: at `moment` or before."""
    return datetime.fromtimestamp(moment.timestamp() // step * step, UTC)


def own_end(moment: datetime, step: int) -> datetime:
    """Return the end of the span of `step` seconds that contains `moment`. A span includes its end,
    but not its beginning."""
    end = last_end(moment, step)
    return end if end == moment else end + timedelta(seconds=step)


def read(session: Session, step: int, after: datetime, until: datetime) -> list[Sample]:
    """Return the samples of `step`, oldest first."""
    query = (
        select(*COLUMNS)
        .where(QueueSample.step == step, QueueSample.at > after, QueueSample.at <= until)
        .order_by(QueueSample.at)
    )
    return [_sample(*row) for row in session.execute(query)]


def newest_at(session: Session, step: int, until: datetime) -> datetime | None:
    """Return the time of the newest sample of `step` that is not after `until`; None if there is
    none."""
    found: datetime | None = session.scalar(
        select(func.max(QueueSample.at)).where(QueueSample.step == step, QueueSample.at <= until)
    )
    return found


def join(samples: Iterable[Sample], step: int) -> list[Sample]:
    """Return one sample, at the end of the span, for each span of `step` seconds with samples."""
    spans = groupby(samples, key=lambda sample: own_end(sample.at, step))
    return [_joined(end, list(parts)) for end, parts in spans]


def roll_up(session: Session, now: datetime) -> None:
    """Write the samples of longer steps whose spans have ended by `now`."""
    for source, step in ((SHORT, MIDDLE), (MIDDLE, LONG)):
        end = last_end(now, step)
        done = newest_at(session, step, end) or now - KEPT[source]
        if done < end:
            for sample in join(read(session, source, done, end), step):
                session.execute(insert(QueueSample).values(step=step, **as_values(sample)))


def as_values(sample: Sample) -> dict[str, Any]:
    """Return the values of a sample's row."""
    return {**sample._asdict(), "queues": msgspec.to_builtins(sample.queues)}


def prune() -> bool:
    """Delete the next samples of each step that are older than `KEPT` allows; return whether more
    may be left. There are many if no process has run for days."""
    now = utcnow()
    with transaction() as session:
        found = [_delete_older(session, step, now - span) for step, span in KEPT.items()]
    return PORTION in found


def _delete_older(session: Session, step: int, oldest: datetime) -> int:
    old = (QueueSample.step == step) & (QueueSample.at < oldest)
    return delete_some(session, QueueSample, old, PORTION, QueueSample.at)


def _sample(at: datetime, seconds: int, queues: dict[str, Any], starts: dict[str, int]) -> Sample:
    return Sample(at, seconds, msgspec.convert(queues, dict[str, Point]), starts)


def _joined(end: datetime, parts: Sequence[Sample]) -> Sample:
    names = dict.fromkeys(name for part in parts for name in part.queues)
    roles = dict.fromkeys(role for part in parts for role in part.starts)
    return Sample(
        end,
        sum(part.seconds for part in parts),
        {name: joined([p.queues[name] for p in parts if name in p.queues]) for name in names},
        {role: sum(part.starts.get(role, 0) for part in parts) for role in roles},
    )
