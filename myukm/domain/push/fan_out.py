"""Decides who is notified of a UKM's new messages and of its announcement, in a job.

A cursor per UKM has the last message and announcement for which this was decided. It moves in the
transaction that stores the deliveries, so a killed job has done both or neither.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import Row, and_, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import in_literals, transaction
from myukm.db.types import utcnow
from myukm.domain.push import outbox, subscriptions
from myukm.extensions import db, valkey
from myukm.logs.outages import Outage
from myukm.models import (
    ChatMention,
    ChatMessage,
    LoginSession,
    Membership,
    PushCursor,
    PushPreference,
    PushSubscription,
    Ukm,
    UkmPin,
)
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.push.fan_out"
# The flag of a queued job expires after this time, so that a lost job is enqueued again.
QUEUED_SECONDS = 60
# Nobody is notified of older messages, so that after an outage no phone rings for yesterday's.
FRESH = timedelta(hours=1)

_outage = Outage(logging.getLogger(__name__), "push: Valkey unreachable")


def fan_out_later(ukm_id: int) -> None:
    """Enqueue one job for the UKM unless one is queued, or no browser is subscribed at all.

    If the job is lost, `watch.PushWatch` finds that the cursor is behind and enqueues another.
    """
    if not subscriptions.any_subscribed():
        return
    try:
        if valkey().set(_queued_key(ukm_id), b"1", nx=True, ex=QUEUED_SECONDS):
            enqueue(JOB, ukm_id)
    except RedisError as error:
        _outage.failed(error)
    else:
        _outage.worked()


def _queued_key(ukm_id: int) -> str:
    return f"myukm:push:queued:{ukm_id}"


def fan_out(ukm_id: int) -> int:
    """Store a delivery for each browser that is to be notified (the job's work); return how many.

    The flag of the queued job is deleted first, so that a message published from now on enqueues
    the next job.
    """
    valkey().delete(_queued_key(ukm_id))
    _make_cursor(ukm_id)
    with transaction() as session:
        cursor = session.get(PushCursor, ukm_id, with_for_update=True, populate_existing=True)
        if cursor is None:
            return 0
        deliveries = _of_messages(session, cursor) + _of_pin(session, cursor)
        outbox.put(session, deliveries)
    return len(deliveries)


def _make_cursor(ukm_id: int) -> None:
    """Insert the UKM's cursor if there is none."""
    if db.session.get(PushCursor, ukm_id) is None and db.session.get(Ukm, ukm_id) is not None:
        try:
            with transaction() as session:
                session.add(PushCursor(ukm_id=ukm_id, number=0))
        except IntegrityError:
            db.session.rollback()  # another job made it


def _of_messages(session: Session, cursor: PushCursor) -> list[outbox.Delivery]:
    """Return the deliveries for published messages after the cursor, and move the cursor."""
    new = (
        ChatMessage.ukm_id == cursor.ukm_id,
        ChatMessage.number > cursor.number,
        ChatMessage.published_at.is_not(None),
    )
    last = session.scalar(select(func.max(ChatMessage.number)).where(*new))
    if last is None:
        return []
    cursor.number = last
    fresh = (ChatMessage.created_at > utcnow() - FRESH, ChatMessage.deleted_at.is_(None))
    columns = (ChatMessage.id, ChatMessage.user_id, ChatMessage.created_at)
    query = select(*columns).where(*new, *fresh, ChatMessage.number <= last)
    messages = session.execute(query.order_by(ChatMessage.number)).all()
    if not messages:
        return []
    named: dict[int, set[int]] = {}
    mentions = in_literals(ChatMention.message_id, [message.id for message in messages])
    for mention in session.scalars(select(ChatMention).where(mentions)):
        named.setdefault(mention.message_id, set()).add(mention.user_id)
    code = session.scalars(select(Ukm.code).where(Ukm.id == cursor.ukm_id)).one()
    found = (_newest_for(row, messages, named) for row in _members(session, cursor.ukm_id))
    return [
        outbox.Delivery(browser, f"ukm-{code}", kind, message_id, cursor.ukm_id)
        for browser, kind, message_id in filter(None, found)
    ]


def _newest_for(
    member: Row[*tuple[Any, ...]],
    messages: Sequence[Row[*tuple[Any, ...]]],
    named: Mapping[int, set[int]],
) -> tuple[int, str, int] | None:
    """Return (subscription, kind, newest message to notify its owner of), None without such a
    message."""
    wants_all = member.push_all and member.notices == "all"
    kind, newest = outbox.MESSAGE, None
    for message in messages:
        addressed = member.user_id in named.get(message.id, ())
        if message.user_id == member.user_id or message.created_at < member.created_at:
            continue
        if addressed or wants_all:
            newest = message.id
            kind = outbox.MENTION if addressed else kind
    return None if newest is None else (member.id, kind, newest)


def _members(session: Session, ukm_id: int, *conditions: Any) -> Iterable[Row[*tuple[Any, ...]]]:
    """Return the subscribed browsers of members who have not muted the UKM's notifications."""
    columns = (
        PushSubscription.id,
        PushSubscription.created_at,
        LoginSession.user_id,
        Membership.notices,
        Membership.push_all,
    )
    own = and_(Membership.user_id == LoginSession.user_id, Membership.ukm_id == ukm_id)
    query = subscriptions.select_valid(*columns).join(Membership, own)
    return session.execute(query.where(Membership.notices != "none", *conditions))


def _of_pin(session: Session, cursor: PushCursor) -> list[outbox.Delivery]:
    """Return the deliveries for a new announcement, and move the cursor."""
    pin = session.get(UkmPin, cursor.ukm_id, populate_existing=True)
    if pin is None or (cursor.pinned_at is not None and pin.at <= cursor.pinned_at):
        return []
    cursor.pinned_at = pin.at
    if pin.at < utcnow() - FRESH:
        return []
    code = session.scalars(select(Ukm.code).where(Ukm.id == cursor.ukm_id)).one()
    is_wanted = (
        ~select(PushPreference.user_id)
        .where(
            PushPreference.user_id == LoginSession.user_id, PushPreference.announcements.is_(False)
        )
        .exists()
    )
    others = LoginSession.user_id != (pin.by_id or 0)
    return [
        outbox.Delivery(member.id, f"pin-{code}", outbox.PIN, milliseconds(pin.at), cursor.ukm_id)
        for member in _members(session, cursor.ukm_id, is_wanted, others)
        if member.created_at <= pin.at
    ]


def milliseconds(moment: datetime) -> int:
    """Return a pin's time as a number. It identifies the pin, because a UKM has one at a time."""
    return round(moment.timestamp() * 1000)
