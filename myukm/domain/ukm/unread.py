"""Unread messages: read markers, counts, and publishing the counts."""

import logging
from collections.abc import Collection
from typing import Any, cast

from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, Select, func, select, update

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import is_id
from myukm.errors import Invalid, NotFound
from myukm.extensions import db, valkey
from myukm.live import pubsub
from myukm.live.topics import personal_topic
from myukm.models import ChatMessage, Membership, Ukm

WAITING, PAUSE_MILLISECONDS, MAX_IMMEDIATE = "myukm:chat:unread", 1000, 100

logger = logging.getLogger(__name__)


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
# How many messages a membership has not read; deleted ones need no reading.
UNREAD = Ukm.last_number - Membership.read_number - _DELETED


def counts(user_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return `{"ukm", "count", "notices"}` for each UKM of these accounts."""
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
    query = select(UNREAD).join_from(Membership, Ukm).where(Membership.id == membership.id)
    return db.session.scalar(query) or 0


def _count(code: str, count: int, notices: str) -> dict[str, Any]:
    return {"ukm": code, "count": count, "notices": notices}


def mark_read(membership: Membership, last_id: int) -> None:
    """Move the read marker forward to the message `last_id`.

    Raises `Invalid` if that is not a message of the UKM.
    """
    number = _number(membership, last_id)
    if number is None:
        raise Invalid(_("last_id bukan pesan UKM ini."), code="bad_last_id")
    _move(membership, number, Membership.read_number < number)


def mark_unread(membership: Membership, message_id: int) -> None:
    """Move the read marker back before a message, if it is not there yet. Raises `NotFound`."""
    number = _number(membership, message_id)
    if number is None:
        raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
    _move(membership, number - 1, Membership.read_number >= number)


def _number(membership: Membership, message_id: int) -> int | None:
    query = select(ChatMessage.number).where(
        ChatMessage.ukm_id == membership.ukm_id, ChatMessage.id == message_id
    )
    return db.session.scalar(query) if is_id(message_id) else None


def _move(membership: Membership, number: int, unless_there: ColumnElement[bool]) -> None:
    marker = update(Membership).where(Membership.id == membership.id, unless_there)
    with transaction() as session:
        if execute_rowcount(session, marker.values(read_number=number)):
            on_commit(publish, membership.ukm_id, membership.user_id)


def publish_debounced(ukm_id: int) -> None:
    """Publish a UKM's unread counts now, or at the leader's next tick if they were published just
    now.

    Counts go to every member one by one, so in a burst they are published once a second.
    """
    try:
        if valkey().set(f"myukm:chat:unread:{ukm_id}", b"1", nx=True, px=PAUSE_MILLISECONDS):
            publish(ukm_id)
        else:
            valkey().sadd(WAITING, ukm_id)
    except RedisError as error:
        logger.info("chat: no unread counts, Valkey is away: %s", error)


def publish_pending() -> None:
    """Publish the unread counts delayed by a burst (a periodic task of the leader)."""
    for ukm_id in cast(list[bytes], valkey().spop(WAITING, MAX_IMMEDIATE)):
        publish(int(ukm_id))


def publish(ukm_id: int, user_id: int | None = None) -> None:
    """Publish the unread counts of the members of a UKM, or of one of them.

    Pages that missed it get all counts in the snapshot when they connect again.
    """
    query = _query().where(Membership.ukm_id == ukm_id)
    if user_id is not None:
        query = query.where(Membership.user_id == user_id)
    pubsub.publish_many(
        (personal_topic(member), "unread", _count(code, count, notices))
        for member, code, count, notices in db.session.execute(query)
    )
