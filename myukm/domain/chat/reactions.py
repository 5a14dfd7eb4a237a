"""Reactions: emoji that members add to a message and remove."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import bindparam, case, delete, func, select

from myukm.db.session import execute_rowcount, in_literals, transaction
from myukm.domain.chat import broadcast
from myukm.domain.chat.validation import check_not_deleted, check_not_muted, find_message
from myukm.domain.flood import count_act
from myukm.domain.ukm import memberships
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.topics import ukm_topic
from myukm.models import ChatMessage, ChatReaction

EMOJI = ("👍", "❤️", "😂", "😮", "😢", "🙏")


def add(user_id: int, code: str, message_id: int, emoji: str) -> list[dict[str, Any]]:
    """Add a reaction and return the message's reactions. Idempotent.

    Raises `NotFound`, `Invalid` for an emoji not in `EMOJI`, `Conflict` for a deleted message,
    `Forbidden` if muted, `TooFast`.
    """
    if emoji not in EMOJI:
        raise Invalid(_("Reaksi ini tidak ada."), code="bad_emoji")
    with transaction() as session:
        message = _locked_message(user_id, code, message_id)
        key = (message.id, user_id, emoji)
        if session.get(ChatReaction, key, populate_existing=True) is None:
            session.add(ChatReaction(message_id=message.id, user_id=user_id, emoji=emoji))
            session.flush()
            _append_change(message, user_id, emoji, on=True)
    return of([message_id], user_id)[message_id]


def remove(user_id: int, code: str, message_id: int, emoji: str) -> list[dict[str, Any]]:
    """Remove the user's own reaction and return the message's reactions. Idempotent.

    Raises as `add`.
    """
    with transaction() as session:
        message = _locked_message(user_id, code, message_id)
        own = delete(ChatReaction).where(
            ChatReaction.message_id == message.id,
            ChatReaction.user_id == user_id,
            ChatReaction.emoji == emoji,
        )
        if execute_rowcount(session, own):
            _append_change(message, user_id, emoji, on=False)
    return of([message_id], user_id)[message_id]


def _locked_message(user_id: int, code: str, message_id: int) -> ChatMessage:
    """Lock the UKM and return the message, if the user may react to it. Raises as `add`."""
    membership = memberships.get_membership(user_id, code, lock=True)
    count_act(user_id)
    message = find_message(membership.ukm_id, message_id)
    memberships.check_not_archived(membership.ukm)
    check_not_muted(membership)
    check_not_deleted(message)
    return message


def _append_change(message: ChatMessage, user_id: int, emoji: str, *, on: bool) -> None:
    """Append the change; a reaction is never published before its message."""
    if not message.published_at:
        broadcast.publish(message.ukm_id)
    same = (ChatReaction.message_id == message.id, ChatReaction.emoji == emoji)
    count = db.session.scalar(select(func.count()).select_from(ChatReaction).where(*same))
    code = message.ukm.code
    change = {"ukm": code, "message_id": message.id, "user_id": user_id, "emoji": emoji}
    change |= {"on": on, "count": count}
    event_log.append(ukm_topic(code), "chat.reaction", change, message.id, stored=change)


def not_deleted(message_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return `{}` for each of these messages that is not deleted.

    A replayed event of a reaction needs no current data. It is dropped if its message is missing
    here, because the reactions were deleted with it.
    """
    query = select(ChatMessage.id).where(in_literals(ChatMessage.id, message_ids))
    return {
        found: {} for found in db.session.scalars(query.where(ChatMessage.deleted_at.is_(None)))
    }


def of(message_ids: Sequence[int], user_id: int) -> dict[int, list[dict[str, Any]]]:
    """Return `{"emoji", "count", "mine"}` per emoji for each of these messages.

    A stored emoji that is not in `EMOJI` (any more) comes last.
    """
    values = {"messages": list(message_ids), "user": user_id}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for message_id, emoji, count, mine in db.session.execute(_COUNTS, values):
        found[message_id].append({"emoji": emoji, "count": count, "mine": bool(mine)})
    for entries in found.values():
        entries.sort(key=lambda entry: _place(entry["emoji"]))
    return found


def _place(emoji: str) -> tuple[int, str]:
    return (EMOJI.index(emoji) if emoji in EMOJI else len(EMOJI), emoji)


# Built once, because every page of messages needs it.
_OWN = func.max(case((ChatReaction.user_id == bindparam("user"), 1), else_=0))
_COUNTS = (
    select(ChatReaction.message_id, ChatReaction.emoji, func.count(), _OWN)
    .where(ChatReaction.message_id.in_(bindparam("messages", expanding=True, literal_execute=True)))
    .group_by(ChatReaction.message_id, ChatReaction.emoji)
)


def remove_for(message_id: int) -> None:
    """Delete all reactions to a message, inside `transaction()`."""
    db.session.execute(delete(ChatReaction).where(ChatReaction.message_id == message_id))
