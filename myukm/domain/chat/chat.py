"""Messages of a UKM: stored first, then broadcast; edited, deleted."""

from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.database import utcnow, write
from myukm.domain.chat import pins, reactions, ukm, ukm_log
from myukm.domain.chat.broadcast import broadcast_later, topic
from myukm.domain.chat.chat_rules import (
    check_client_id,
    checked_text,
    find_message,
    refuse_deleted,
    refuse_muted,
)
from myukm.domain.chat.mentions import mentioned
from myukm.domain.flood import count_act
from myukm.errors import Forbidden
from myukm.extensions import db
from myukm.live import log as events
from myukm.models import ChatMessage, Membership, User

EDIT_WITHIN = timedelta(minutes=15)


def post(
    user: User, code: str, text: Any, client_id: Any, reply_to: Any = None
) -> tuple[ChatMessage, bool]:
    """Store a message and have it broadcast; return it and whether it is new.

    The same `client_id` again is the same message; `reply_to` is the id of one it answers, or
    None. Raises `NotFound`, `Invalid`, `Forbidden` for who is muted, `TooFast` (see `flood`).
    """
    with write():
        place = ukm.membership(user.id, code, lock=True)
        check_client_id(client_id)
        known = db.session.scalar(
            select(ChatMessage).filter_by(ukm_id=place.ukm_id, user_id=user.id, client_id=client_id)
        )
        if known:
            return known, False
        message = _store(place, user, checked_text(text), client_id, reply_to)
    broadcast_later(message.ukm_id)
    return message, True


def _store(place: Membership, user: User, body: str, client_id: str, reply_to: Any) -> ChatMessage:
    """Insert the message with the UKM's next number; its author has read up to there."""
    ukm.refuse_archived(place.ukm)
    refuse_muted(place)
    count_act(user.id)
    quoted = None if reply_to is None else find_message(place.ukm_id, reply_to)
    place.ukm.last_number += 1
    place.read_number = place.ukm.last_number
    message = ChatMessage(
        ukm=place.ukm,
        user=user,
        client_id=client_id,
        number=place.ukm.last_number,
        body=body,
        reply_to_id=quoted and quoted.id,
        mentions=mentioned(place.ukm_id, body),
    )
    db.session.add(message)
    return message


def edit(user_id: int, code: str, message_id: int, text: Any) -> ChatMessage:
    """Change the text of one's own message within 15 minutes and return it.

    Raises `NotFound`, `Forbidden`, `Conflict` for a deleted message, `Invalid`, `TooFast`.
    """
    with write():
        place = ukm.membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(place.ukm_id, message_id)
        if message.user_id != user_id:
            raise Forbidden(_("Hanya penulisnya yang boleh mengubah pesan."), code="not_yours")
        ukm.refuse_archived(place.ukm)
        refuse_muted(place)
        refuse_deleted(message)
        if utcnow() - message.created_at > EDIT_WITHIN:
            raise Forbidden(_("Pesan hanya bisa diubah selama 15 menit."), code="too_late")
        body = checked_text(text)
        if body != message.body:
            message.body, message.edited_at = body, utcnow()
            message.mentions = mentioned(place.ukm_id, body)
            _tell(message, "chat.edited")
    return message


def delete(user_id: int, code: str, message_id: int) -> None:
    """Erase a message, one's own or as an admin of the UKM; its place stays.

    Raises `NotFound`, `Forbidden`, `TooFast`.
    """
    with write():
        place = ukm.membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(place.ukm_id, message_id)
        if message.user_id != user_id and not place.is_admin:
            raise Forbidden(_("Hanya penulis atau pengurus UKM yang boleh menghapus pesan."))
        if message.user_id != user_id and not message.deleted_at:
            ukm_log.note(place.ukm_id, user_id, "message_deleted", person_id=message.user_id)
        erase(message)


def erase(message: ChatMessage) -> None:
    """Leave nothing of a message's text, inside `write()`; again does nothing."""
    if message.deleted_at:
        return
    message.body, message.mentions, message.deleted_at = "", None, utcnow()
    reactions.forget(message.id)
    pins.forget(message)
    place = topic(message.ukm.code)
    events.rewrite(place, "id", message.id, message.as_json())
    events.amend(place, f'"reply_to":{{"id":{message.id},', _forget_quote)
    _tell(message, "chat.deleted")


def _forget_quote(reply: dict[str, Any]) -> None:
    reply["reply_to"] |= {"message": "", "deleted": True}


def _tell(message: ChatMessage, kind: str) -> None:
    """Append the change; a message that waits to be published goes out changed anyway."""
    if message.published_at:
        events.append(topic(message.ukm.code), kind, message.as_json())
