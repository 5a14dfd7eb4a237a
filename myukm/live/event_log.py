"""The event log: events in commit order, so that a stream can resume from a cursor.

An event is appended in the transaction of the change that it describes. Its number comes from one
counter row that is locked last before the commit, so numbers become visible in order, and a cursor
is a single integer.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, Text, event, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from myukm.db.base import Model
from myukm.db.session import on_commit
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.extensions import db
from myukm.live import events, pubsub


class EventCounter(Model):
    """One row: the number of the newest event."""

    __tablename__ = "event_counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(Id)


class Event(Model):
    """A replayable event. `data` is the JSON text that browsers receive.

    For an event about a message, a person or a UKM, `ref` is the id of its row, and `data` has only
    what the row does not have. So the log holds no copy of a text or name that may be deleted.
    """

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_topic_seq", "topic", "seq"), Index("ix_event_at", "at"))
    seq: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(key_type(64))
    type: Mapped[str] = mapped_column(key_type(32))
    ref: Mapped[int | None] = mapped_column(Id)
    data: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class LoggedEvent(NamedTuple):
    """An event for the hub to dispatch; `seq` is None if it is transient (not in the log).

    `ref` is set only between the log and the renderer. `data` is None if the message, person or UKM
    was deleted: then nothing is sent, but readers still advance to `seq`.
    """

    seq: int | None
    topic: str
    type: str
    data: str | None
    ref: int | None = None


class _Appended(NamedTuple):
    """A complete event, as it is published, and the part that the log stores."""

    complete: LoggedEvent
    ref: int | None
    stored: str


def append(
    topic: str,
    type: str,  # noqa: A002 (the SSE field's name)
    data: Any,
    ref: int | None = None,
    stored: Any = None,
) -> None:
    """Append an event in the running `transaction()`; it is published after the commit.

    With `ref` (the id of a message, a person or a UKM, depending on the type) the log stores `ref`
    and `stored` in place of `data`; for replay `domain.event_rendering` adds the current data.

    Raises `ValueError` for an event that is not in the list of events.
    """
    events.check(topic, type, replayed=True)
    text = events.to_json(data)
    entry = LoggedEvent(None, topic, type, text)
    stored_text = text if ref is None else events.to_json(stored or {})
    db.session().info.setdefault("events", []).append(_Appended(entry, ref, stored_text))
    on_commit(_publish_numbered)


def latest_seq() -> int:
    """Return the number of the newest event, which is the cursor of an up-to-date reader."""
    return db.session.scalar(select(EventCounter.value)) or 0


def oldest_seq() -> int:
    """Return the number of the oldest event in the log; `latest_seq() + 1` if it is empty."""
    first = db.session.scalar(select(func.min(Event.seq)))
    return latest_seq() + 1 if first is None else first


def since(
    seq: int, limit: int, topics: Collection[str] | None = None, until: int | None = None
) -> Sequence[LoggedEvent]:
    """Return up to `limit` events after `seq` in order, as the log stores them.

    `until` is the last number to return, `topics` (None: all) the topics to include.
    """
    query = select(Event.seq, Event.topic, Event.type, Event.data, Event.ref).where(Event.seq > seq)
    if topics is not None:
        query = query.where(Event.topic.in_(topics))
    if until is not None:
        query = query.where(Event.seq <= until)
    return [LoggedEvent(*row) for row in db.session.execute(query.order_by(Event.seq).limit(limit))]


@event.listens_for(db.session, "before_commit")
def _number_events(session: Session) -> None:
    appended: list[_Appended] = session.info.pop("events", [])
    if not appended:
        return
    session.flush()
    last, at = _take_numbers(session, len(appended)), utcnow()
    first = last - len(appended) + 1
    numbered = [each.complete._replace(seq=n) for n, each in enumerate(appended, first)]
    rows = [
        {**entry._asdict(), "ref": each.ref, "data": each.stored, "at": at}
        for entry, each in zip(numbered, appended, strict=True)
    ]
    session.execute(insert(Event), rows)
    # Not replaced but extended, because an on_commit function may append further events before
    # these are published.
    session.info.setdefault("numbered", []).extend(entry[:4] for entry in numbered)


def _take_numbers(session: Session, count: int) -> int:
    """Return the last of `count` new numbers, in one round trip if the database can, because all
    other transactions that append events wait for the counter's row."""
    raised = update(EventCounter).values(value=EventCounter.value + count)
    if session.get_bind().dialect.update_returning:
        return session.scalars(raised.returning(EventCounter.value)).one()
    session.execute(raised)
    return session.scalars(select(EventCounter.value)).one()


def _publish_numbered() -> None:
    """Publish the committed events. If that fails, hubs read them from the log."""
    if numbered := db.session().info.pop("numbered", None):
        pubsub.publish(numbered)


@event.listens_for(db.session, "after_rollback")
def _drop_events(session: Session) -> None:
    session.info.pop("events", None)
    session.info.pop("numbered", None)
