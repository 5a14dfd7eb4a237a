"""Messages of a UKM: stored first, then broadcast; edited, deleted, read page by page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.database import is_id, utcnow, write
from myukm.domain.chat import ukm
from myukm.domain.chat.broadcast import broadcast_later, topic
from myukm.domain.chat.chat_rules import (
    check_client_id,
    checked_text,
    refuse_flood,
    refuse_muted,
)
from myukm.errors import Conflict, Forbidden, NotFound
from myukm.extensions import db
from myukm.live import log as events
from myukm.models import ChatMessage, Membership, User

EDIT_WITHIN = timedelta(minutes=15)


def post(user: User, code: str, text: Any, client_id: Any) -> tuple[ChatMessage, bool]:
    """Store a message and have it broadcast; return it and whether it is new.

    The same `client_id` again is the same message. Raises `NotFound`, `Invalid`, `Forbidden`
    for who is muted, `TooFast` after 20 messages in 10 s.
    """
    with write():
        place = ukm.membership(user.id, code, lock=True)
        check_client_id(client_id)
        known = db.session.scalar(
            select(ChatMessage).filter_by(ukm_id=place.ukm_id, user_id=user.id, client_id=client_id)
        )
        if known:
            return known, False
        message = _store(place, user, checked_text(text), client_id)
    broadcast_later(message.ukm_id)
    return message, True


def _store(place: Membership, user: User, body: str, client_id: str) -> ChatMessage:
    """Insert the message with the UKM's next number; its author has read up to there."""
    refuse_muted(place)
    refuse_flood(user.id)
    place.ukm.last_number += 1
    place.read_number = place.ukm.last_number
    message = ChatMessage(
        ukm=place.ukm, user=user, client_id=client_id, number=place.ukm.last_number, body=body
    )
    db.session.add(message)
    return message


def edit(user_id: int, code: str, message_id: int, text: Any) -> ChatMessage:
    """Change the text of one's own message within 15 minutes and return it.

    Raises `NotFound`, `Forbidden`, `Conflict` for a deleted message, `Invalid`.
    """
    with write():
        place = ukm.membership(user_id, code, lock=True)
        message = _find(place, message_id)
        if message.user_id != user_id:
            raise Forbidden(_("Hanya penulisnya yang boleh mengubah pesan."), code="not_yours")
        refuse_muted(place)
        if message.deleted_at:
            raise Conflict(_("Pesan ini sudah dihapus."), code="message_deleted")
        if utcnow() - message.created_at > EDIT_WITHIN:
            raise Forbidden(_("Pesan hanya bisa diubah selama 15 menit."), code="too_late")
        body = checked_text(text)
        if body != message.body:
            message.body, message.edited_at = body, utcnow()
            _tell(message, "chat.edited")
    return message


def delete(user_id: int, code: str, message_id: int) -> None:
    """Erase a message, one's own or as an admin of the UKM; its place stays.

    Raises `NotFound`, `Forbidden`.
    """
    with write():
        place = ukm.membership(user_id, code, lock=True)
        message = _find(place, message_id)
        if message.user_id != user_id and not place.is_admin:
            raise Forbidden(_("Hanya penulis atau pengurus UKM yang boleh menghapus pesan."))
        if not message.deleted_at:
            message.body, message.deleted_at = "", utcnow()
            events.rewrite(topic(code), "id", message.id, message.as_json())
            _tell(message, "chat.deleted")


def _find(place: Membership, message_id: int) -> ChatMessage:
    """Return a message of the member's UKM, read under the UKM's lock."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user), joinedload(ChatMessage.ukm))
        .where(ChatMessage.ukm_id == place.ukm_id, ChatMessage.id == message_id)
        .execution_options(populate_existing=True)
    )
    message = db.session.scalar(query) if is_id(message_id) else None
    if message is None:
        raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
    return message


def _tell(message: ChatMessage, kind: str) -> None:
    """Append the change; a message that waits to be published goes out changed anyway."""
    if message.published_at:
        events.append(topic(message.ukm.code), kind, message.as_json())


def page(
    place: Membership, before: int | None = None, after: int | None = None, limit: int = 50
) -> Sequence[ChatMessage]:
    """Return up to `limit` messages, oldest first: the newest, or those before or after an id."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user))
        .where(ChatMessage.ukm_id == place.ukm_id)
        .limit(limit)
    )
    if before is not None:
        query = query.where(ChatMessage.id < before)
    if after is not None:
        return db.session.scalars(
            query.where(ChatMessage.id > after).order_by(ChatMessage.id)
        ).all()
    return db.session.scalars(query.order_by(ChatMessage.id.desc())).all()[::-1]
