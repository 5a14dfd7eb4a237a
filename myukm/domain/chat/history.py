"""Pages of messages, as one member sees them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload, load_only
from sqlalchemy.orm.attributes import set_committed_value

from myukm.domain.chat import reactions
from myukm.domain.files import attachments
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, User


def page(
    membership: Membership, before: int | None = None, after: int | None = None, limit: int = 50
) -> Sequence[ChatMessage]:
    """Return up to `limit` messages, oldest first: the newest messages, with `before` the newest
    below that id, with `after` the oldest above that id, with both the oldest between them."""
    values = {"ukm": membership.ukm_id, "before": before, "after": after, "limit": limit}
    if after is not None:
        query = _AFTER if before is None else _AFTER.where(_EARLIER)
    else:
        query = _NEWEST if before is None else _BEFORE
    found = db.session.scalars(query, values).all()
    for message in found:
        set_committed_value(message, "ukm", membership.ukm)
    return found if after is not None else found[::-1]


def page_around(
    membership: Membership, around: int | None, limit: int
) -> tuple[Sequence[ChatMessage], bool]:
    """Return up to `limit` messages, oldest first, and whether newer messages exist: the newest
    messages, or the message `around` with the messages before and after it."""
    if around is None:
        return page(membership, limit=limit), False
    newer = page(membership, after=around, limit=limit // 2 + 1)
    following = newer[: limit // 2]
    # + 1: with the message itself
    older = page(membership, before=around + 1, limit=limit - len(following))
    return [*older, *following], len(newer) > len(following)


# Loads the rows that a message's JSON includes: its author, and the message it answers.
SHOWN = (
    joinedload(ChatMessage.user).load_only(User.name, User.photo_hash),
    joinedload(ChatMessage.reply_to).options(
        load_only(
            ChatMessage.user_id, ChatMessage.body, ChatMessage.deleted_at, ChatMessage.file_count
        ),
        joinedload(ChatMessage.user).load_only(User.name),
    ),
)
# Built once, because building a query takes longer than the database needs to execute it.
_PAGE = (
    select(ChatMessage)
    .options(*SHOWN)
    .where(ChatMessage.ukm_id == bindparam("ukm"))
    .limit(bindparam("limit"))
)
_AFTER = _PAGE.where(ChatMessage.id > bindparam("after")).order_by(ChatMessage.id)
_NEWEST = _PAGE.order_by(ChatMessage.id.desc())
_EARLIER = ChatMessage.id < bindparam("before")
_BEFORE = _NEWEST.where(_EARLIER)
_FIRST_UNREAD = (
    select(ChatMessage.id)
    .where(ChatMessage.ukm_id == bindparam("ukm"))
    .where(ChatMessage.number > bindparam("read"), ChatMessage.deleted_at.is_(None))
    .order_by(ChatMessage.number)
    .limit(1)
)


def as_seen(messages: Sequence[ChatMessage], user_id: int) -> list[dict[str, Any]]:
    """Return messages as JSON with their `reactions` and `files`, read by two queries for all."""
    attachments.load(messages)
    found = reactions.of([message.id for message in messages], user_id)
    return [{**message.as_json(), "reactions": found[message.id]} for message in messages]


def first_unread(membership: Membership) -> int | None:
    """Return the id of the member's first unread message; None if there is none, or the UKM is
    archived, where nothing counts as unread (`unread.UNREAD`)."""
    if membership.ukm.archived_at:
        return None
    values = {"ukm": membership.ukm_id, "read": membership.read_number}
    return db.session.scalar(_FIRST_UNREAD, values)
