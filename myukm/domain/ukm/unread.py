"""Unread messages: read markers, counts, and publishing the counts."""

from collections.abc import Collection
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, bindparam, case, func, select, update

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import is_id, utcnow
from myukm.domain.ukm import readers
from myukm.domain.ukm.debounce import Debounced
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.live import pubsub
from myukm.live.topics import personal_topic
from myukm.models import ChatMessage, Membership, Ukm

_DELETED = (
    select(func.count())
    .where(
        ChatMessage.ukm_id == Membership.ukm_id,
        ChatMessage.number > Membership.read_number,
        ChatMessage.deleted_at.is_not(None),
    )
    .correlate(Membership)
    .scalar_subquery()
)
# The number of a membership's unread messages, without deleted messages. In an archived UKM it is
# 0, but the read markers stay, because the UKM may be restored.
UNREAD = case(
    (Ukm.archived_at.is_not(None), 0),
    else_=Ukm.last_number - Membership.read_number - _DELETED,
)


def counts(user_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return `{"ukm", "count", "notices"}` for each UKM of each account."""
    found: dict[int, list[dict[str, Any]]] = {user_id: [] for user_id in user_ids}
    query = _query().where(Membership.user_id.in_(found))
    for user_id, code, count, level in db.session.execute(query):
        found[user_id].append(_count(code, count, level))
    return found


def _query() -> Select[int, str, int, str]:
    """Return the query of all memberships: (user_id, code, unread, notices)."""
    return select(Membership.user_id, Ukm.code, UNREAD, Membership.notices).join_from(
        Membership, Ukm
    )


def count(membership: Membership) -> int:
    """Return the number of the member's unread messages."""
    return db.session.scalar(_OWN, {"mine": membership.id}) or 0


# Built once, because every chat page needs it.
_OWN = select(UNREAD).join_from(Membership, Ukm).where(Membership.id == bindparam("mine"))


def _count(code: str, count: int, notices: str) -> dict[str, Any]:
    return {"ukm": code, "count": count, "notices": notices}


def mark_read(membership: Membership, last_id: int) -> None:
    """Move the read marker forward to the message `last_id` (0 in a chat without messages).

    Raises `Invalid` if `last_id` is not a message of the UKM.
    """
    number = _number(membership, last_id) if last_id else 0
    if number is None:
        raise Invalid(_("last_id bukan pesan UKM ini."), code="bad_last_id")
    if readers.is_unread(membership):
        _read_announcement(membership, number)
    else:
        _move(membership, number, Membership.read_number < number)


def _read_announcement(membership: Membership, number: int) -> None:
    """Move the read marker to `number` unless it is beyond, and record that the member has read
    the announcement."""
    newer = case((Membership.read_number < number, number), else_=Membership.read_number)
    marker = update(Membership).where(Membership.id == membership.id)
    with transaction() as session:
        session.execute(marker.values(read_number=newer, read_at=utcnow()))
        on_commit(publish, membership.ukm_id, membership.user_id)
        on_commit(readers.debounced.publish, membership.ukm_id)


def mark_unread(membership: Membership, message_id: int) -> None:
    """Move the read marker back before a message, unless it is there already. Raises `NotFound`."""
    number = _number(membership, message_id)
    if number is None:
        raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
    _move(membership, number - 1, Membership.read_number >= number)


def _number(membership: Membership, message_id: int) -> int | None:
    query = select(ChatMessage.number).where(
        ChatMessage.ukm_id == membership.ukm_id, ChatMessage.id == message_id
    )
    return db.session.scalar(query) if is_id(message_id) else None


def _move(membership: Membership, number: int, condition: ColumnElement[bool]) -> None:
    marker = update(Membership).where(Membership.id == membership.id, condition)
    with transaction() as session:
        if execute_rowcount(session, marker.values(read_number=number)):
            on_commit(publish, membership.ukm_id, membership.user_id)


def publish(ukm_id: int, user_id: int | None = None) -> bool:
    """Publish the unread counts of the members of a UKM, or of one of them; return whether Valkey
    accepted them.

    Pages that missed the event get all counts in the snapshot when they connect again.
    """
    query = _query().where(Membership.ukm_id == ukm_id)
    if user_id is not None:
        query = query.where(Membership.user_id == user_id)
    return pubsub.publish_many(
        (personal_topic(member), "unread", _count(code, count, notices))
        for member, code, count, notices in db.session.execute(query)
    )


# At most about once a second, because the counts are published to each member one by one. A little
# less than a second, so that the leader's poll, once a second, finds that the interval has passed.
debounced = Debounced("myukm:chat:unread", 900, publish)
