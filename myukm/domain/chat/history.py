"""Pages of messages, as one member sees them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.domain.chat import reactions
from myukm.extensions import db
from myukm.models import ChatMessage, Membership


def page(
    membership: Membership, before: int | None = None, after: int | None = None, limit: int = 50
) -> Sequence[ChatMessage]:
    """Return up to `limit` messages, oldest first: the newest, or those before or after an id."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user))
        .options(joinedload(ChatMessage.reply_to).joinedload(ChatMessage.user))
        .where(ChatMessage.ukm_id == membership.ukm_id)
        .limit(limit)
    )
    if before is not None:
        query = query.where(ChatMessage.id < before)
    if after is not None:
        return db.session.scalars(
            query.where(ChatMessage.id > after).order_by(ChatMessage.id)
        ).all()
    return db.session.scalars(query.order_by(ChatMessage.id.desc())).all()[::-1]


def as_seen(messages: Sequence[ChatMessage], user_id: int) -> list[dict[str, Any]]:
    """Return messages as JSON with their `reactions`, which take one query for all."""
    found = reactions.of([message.id for message in messages], user_id)
    return [{**message.as_json(), "reactions": found[message.id]} for message in messages]


def first_unread(membership: Membership) -> int | None:
    """Return the id of the member's first unread message, None if there is none."""
    query = (
        select(ChatMessage.id)
        .where(ChatMessage.ukm_id == membership.ukm_id)
        .where(ChatMessage.number > membership.read_number, ChatMessage.deleted_at.is_(None))
        .order_by(ChatMessage.number)
        .limit(1)
    )
    return db.session.scalar(query)
