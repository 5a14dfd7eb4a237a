"""Whom a message addresses: the people it mentions, and the author of the message it answers."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import joinedload

from myukm.extensions import db
from myukm.models import ChatMention, ChatMessage, Membership


def record(message: ChatMessage, message_id: int) -> None:
    """Store whom the message addresses, except its own author, inside `transaction()`."""
    answered = message.reply_to and message.reply_to.user_id
    people = {*(message.mentions or ()), answered} - {None, message.user_id}
    rows = [{"user_id": person, "message_id": message_id} for person in sorted(people)]
    if rows:
        db.session.execute(insert(ChatMention), rows)


def remove_for(message_id: int) -> None:
    """Delete whom the message addresses, inside `transaction()`."""
    db.session.execute(delete(ChatMention).where(ChatMention.message_id == message_id))


def messages_for(user_id: int, before: int | None = None, limit: int = 50) -> Sequence[ChatMessage]:
    """Return the newest messages that address the person, of all UKMs they are in, newest first.

    `before`: only messages with a lower id.
    """
    query = (
        select(ChatMessage)
        .join(ChatMention, ChatMention.message_id == ChatMessage.id)
        .join(Membership, Membership.ukm_id == ChatMessage.ukm_id)
        .where(ChatMention.user_id == user_id, Membership.user_id == user_id)
        .options(joinedload(ChatMessage.user), joinedload(ChatMessage.ukm))
        .order_by(ChatMention.message_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(ChatMention.message_id < before)
    return db.session.scalars(query).all()
