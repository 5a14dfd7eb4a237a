"""The event log: events in commit order, so that a stream can resume from a cursor.

An event is appended in the transaction of the change that it describes. Its number comes from one
counter row that is locked last before the commit, so numbers become visible in order, and a cursor
is a single integer.
"""

import json
from collections.abc import Callable, Collection, Sequence
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
    """A replayable event; `data` is the JSON text that browsers receive."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_topic_seq", "topic", "seq"), Index("ix_event_at", "at"))
    seq: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(key_type(64))
    type: Mapped[str] = mapped_column(key_type(32))
    data: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class LoggedEvent(NamedTuple):
    """An event for the hub to dispatch; `seq` is None if it is transient (not in the log)."""

    seq: int | None
    topic: str
    type: str
    data: str


def append(topic: str, type: str, data: Any) -> None:  # noqa: A002 (the SSE field's name)
    """Append an event in the running `transaction()`; it is published after the commit.

    Raises `ValueError` for one that is not in the list of events.
    """
    events.check(topic, type, replayed=True)
    entry = LoggedEvent(None, topic, type, events.to_json(data))
    db.session().info.setdefault("events", []).append(entry)
    on_commit(_publish_numbered)


def redact(topic: str, key: str, value: int, data: Any) -> None:
    """Replace the payload of earlier events whose JSON starts with this key and value, so replay
    cannot leak it.

    Used for the text of a deleted message.
    """
    begins = f'{{"{key}":{value},'
    text = events.to_json(data)
    payload = update(Event).where(
        Event.topic == topic, Event.data.startswith(begins, autoescape=True)
    )
    db.session.execute(payload.values(data=text).execution_options(synchronize_session=False))


def edit_payloads(topic: str, part: str, change: Callable[[Any], None]) -> None:
    """Edit the payload of earlier events of `topic` whose JSON text contains `part`, by calling
    `change` on each."""
    known = select(Event.seq, Event.data)
    holding = known.where(Event.topic == topic, Event.data.contains(part, autoescape=True))
    for seq, text in db.session.execute(holding).all():
        data = json.loads(text)
        change(data)
        payload = events.to_json(data)
        db.session.execute(update(Event).where(Event.seq == seq).values(data=payload))


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
    """Return up to `limit` events after `seq` in order.

    `until` is the last number to return, `topics` (None: all) the topics to include.
    """
    query = select(Event.seq, Event.topic, Event.type, Event.data).where(Event.seq > seq)
    if topics is not None:
        query = query.where(Event.topic.in_(topics))
    if until is not None:
        query = query.where(Event.seq <= until)
    return [LoggedEvent(*row) for row in db.session.execute(query.order_by(Event.seq).limit(limit))]


@event.listens_for(db.session, "before_commit")
def _number_events(session: Session) -> None:
    entries: list[LoggedEvent] = session.info.pop("events", [])
    if not entries:
        return
    session.flush()
    session.execute(update(EventCounter).values(value=EventCounter.value + len(entries)))
    last = session.scalars(select(EventCounter.value)).one()
    numbered = [entry._replace(seq=last - len(entries) + n) for n, entry in enumerate(entries, 1)]
    at = utcnow()
    session.execute(insert(Event), [{**entry._asdict(), "at": at} for entry in numbered])
    session.info["numbered"] = numbered


def _publish_numbered() -> None:
    """Publish what the commit numbered; hubs find in the log what is not published."""
    if numbered := db.session().info.pop("numbered", None):
        pubsub.publish(numbered)


@event.listens_for(db.session, "after_rollback")
def _drop_events(session: Session) -> None:
    session.info.pop("events", None)
    session.info.pop("numbered", None)
