"""Reads claimed deliveries again and decides which are sent, postponed or dropped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import Row, and_
from sqlalchemy.orm import joinedload

from myukm.db.session import in_literals
from myukm.db.types import utcnow
from myukm.domain.presence import viewing
from myukm.domain.push import outbox, preferences, staff, subscriptions, wording
from myukm.domain.push.fan_out import milliseconds
from myukm.domain.push.sender import Notification
from myukm.domain.ukm import unread
from myukm.extensions import db
from myukm.models import (
    ChatMessage,
    LoginSession,
    Membership,
    PushDelivery,
    PushPreference,
    PushSubscription,
    Ukm,
    UkmPin,
    User,
)

# A delivery that has waited this long (a page in view, quiet hours) is dropped.
MAX_AGE = timedelta(hours=12)
# How long a delivery waits for a person who views a page, at first and at most.
MIN_RECHECK, MAX_RECHECK = timedelta(seconds=15), timedelta(minutes=5)


@dataclass(frozen=True)
class Entry:
    """A claimed delivery with the notification to send, or with the time until which it waits.
    Without either it is dropped."""

    id: int
    created_at: datetime
    subscription_id: int
    tries: int
    notification: Notification | None = None
    wait_until: datetime | None = None


@dataclass(frozen=True)
class Known:
    """Read once for all entries: unread counts by account, and the accounts that view a page."""

    unread: Mapping[int, list[dict[str, Any]]]
    viewers: Collection[int]
    now: datetime


def entries(ids: Sequence[int]) -> list[Entry]:
    """Return the entries of these deliveries, except of ended log-ins and blocked accounts."""
    rows = db.session.execute(_query(ids), execution_options={"populate_existing": True}).all()
    people = {row.User.id for row in rows}
    known = Known(unread.counts(people), viewing.viewers(people), utcnow())
    found = [_entry(row, known) for row in rows]
    db.session.rollback()
    return found


def _query(ids: Sequence[int]) -> Any:
    own = and_(Membership.user_id == LoginSession.user_id, Membership.ukm_id == PushDelivery.ukm_id)
    is_chat = PushDelivery.kind.in_([outbox.MESSAGE, outbox.MENTION])
    return (
        subscriptions.select_valid(
            PushDelivery, PushSubscription, User, PushPreference, Membership, Ukm, ChatMessage
        )
        .join(PushDelivery, PushDelivery.subscription_id == PushSubscription.id)
        .outerjoin(PushPreference, PushPreference.user_id == LoginSession.user_id)
        .outerjoin(Membership, own)
        .outerjoin(Ukm, Ukm.id == PushDelivery.ukm_id)
        .outerjoin(ChatMessage, and_(is_chat, ChatMessage.id == PushDelivery.ref))
        .options(joinedload(ChatMessage.user))
        .where(in_literals(PushDelivery.id, ids))
        .order_by(PushDelivery.id)
    )


def _entry(row: Row[*tuple[Any, ...]], known: Known) -> Entry:
    delivery, chosen = row.PushDelivery, row.PushPreference or preferences.defaults(row.User.id)
    plain = Entry(delivery.id, delivery.created_at, delivery.subscription_id, delivery.tries)
    age = known.now - delivery.created_at
    if age > MAX_AGE or not _wanted(row, chosen):
        return plain
    if wait_until := _wait_until(row, chosen, age, known):
        return Entry(**{**vars(plain), "wait_until": wait_until})
    with force_locale(row.PushSubscription.lang):
        payload = _payload(row, chosen, known)
    browser = row.PushSubscription
    urgent = delivery.kind != outbox.MESSAGE
    sent = payload and Notification(browser.endpoint, browser.p256dh, browser.auth, payload, urgent)
    return Entry(**{**vars(plain), "notification": sent})


def _wanted(row: Row[*tuple[Any, ...]], chosen: PushPreference) -> bool:
    """Return whether the person may and wants to be notified, and has not read the message."""
    member, kind, message = row.Membership, row.PushDelivery.kind, row.ChatMessage
    if kind in staff.ROLES:
        return staff.is_for(row.User, chosen, kind)
    if kind == outbox.TEST:
        return True
    if member is None or member.notices == "none" or row.Ukm.archived_at:
        return False
    if kind == outbox.PIN:
        is_unread = member.read_at is None or milliseconds(member.read_at) < row.PushDelivery.ref
        return chosen.announcements and is_unread
    if message is None or message.deleted_at:
        return False
    wanted = kind == outbox.MENTION or (member.push_all and member.notices == "all")
    return bool(wanted and message.number > member.read_number)


def _wait_until(
    row: Row[*tuple[Any, ...]], chosen: PushPreference, age: timedelta, known: Known
) -> datetime | None:
    """Return until when to postpone the delivery (quiet hours, a page in view); None: send it."""
    if row.PushDelivery.kind == outbox.TEST:
        return None
    if end := preferences.quiet_end(chosen.quiet_from, chosen.quiet_until, known.now):
        return end
    if row.User.id in known.viewers:
        return known.now + min(max(age, MIN_RECHECK), MAX_RECHECK)
    return None


def _payload(
    row: Row[*tuple[Any, ...]], chosen: PushPreference, known: Known
) -> dict[str, Any] | None:
    """Return the payload for the browser; None if the pin, run or alert of the delivery is over."""
    delivery, number = row.PushDelivery, row.PushDelivery.ref
    counts = {each["ukm"]: each for each in known.unread[row.User.id]}
    words: wording.Words | None
    if delivery.kind == outbox.TEST:
        words = wording.test()
    elif delivery.kind in staff.ROLES:
        words, number = staff.words(delivery.kind, delivery.ref) or (None, 0)
    elif delivery.kind == outbox.PIN:
        words = _announcement(row, show_text=chosen.show_text)
    else:
        count = counts[row.Ukm.code]["count"]
        words = wording.message(
            row.Ukm, row.ChatMessage, count, delivery.kind, show_text=chosen.show_text
        )
    if words is None:
        return None
    badge = sum(each["count"] for each in counts.values() if each["notices"] != "none")
    return {**words._asdict(), "tag": delivery.tag, "id": number, "badge": badge}


def _announcement(row: Row[*tuple[Any, ...]], *, show_text: bool) -> wording.Words | None:
    pin = db.session.get(
        UkmPin, row.Ukm.id, options=[joinedload(UkmPin.message)], populate_existing=True
    )
    return wording.announcement(row.Ukm, pin, show_text=show_text) if pin else None
