"""Messages of a UKM: post, edit, delete. A message is stored first and published afterwards."""

from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.chat import broadcast, pins, reactions
from myukm.domain.chat.mentions import mentioned
from myukm.domain.chat.validation import (
    check_client_id,
    check_not_deleted,
    check_not_muted,
    clean_text,
    find_message,
)
from myukm.domain.flood import count_act
from myukm.domain.ukm import memberships
from myukm.errors import Forbidden
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, User

EDIT_WITHIN = timedelta(minutes=15)


def post(
    user: User, code: str, text: str, client_id: str, reply_to: int | None = None
) -> tuple[ChatMessage, bool]:
    """Store a message, schedule its publishing, and return it and whether it is new.

    Idempotent by `client_id`. `reply_to` is the id of the message it answers, or None. Raises
    `NotFound`, `Invalid`, `Forbidden` if muted, `TooFast` (see `flood`).
    """
    with transaction():
        membership = memberships.get_membership(user.id, code, lock=True)
        check_client_id(client_id)
        known = db.session.scalar(
            select(ChatMessage).filter_by(
                ukm_id=membership.ukm_id, user_id=user.id, client_id=client_id
            )
        )
        if known:
            return known, False
        message = _store(membership, user, clean_text(text), client_id, reply_to)
    return message, True


def _store(
    membership: Membership, user: User, body: str, client_id: str, reply_to: int | None
) -> ChatMessage:
    """Insert the message with the UKM's next number, and mark it read for its author."""
    memberships.check_not_archived(membership.ukm)
    check_not_muted(membership)
    count_act(user.id)
    quoted = None if reply_to is None else find_message(membership.ukm_id, reply_to)
    membership.ukm.last_number += 1
    membership.read_number = membership.ukm.last_number
    message = ChatMessage(
        ukm=membership.ukm,
        user=user,
        client_id=client_id,
        number=membership.ukm.last_number,
        body=body,
        reply_to_id=quoted and quoted.id,
        mentions=mentioned(membership.ukm_id, body),
    )
    db.session.add(message)
    on_commit(broadcast.broadcast_later, membership.ukm_id)
    return message


def edit(user_id: int, code: str, message_id: int, text: str) -> ChatMessage:
    """Change the text of the user's own message within 15 minutes and return the message.

    Raises `NotFound`, `Forbidden`, `Conflict` for a deleted message, `Invalid`, `TooFast`.
    """
    with transaction():
        membership = memberships.get_membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(membership.ukm_id, message_id)
        if message.user_id != user_id:
            raise Forbidden(_("Hanya penulisnya yang boleh mengubah pesan."), code="not_yours")
        memberships.check_not_archived(membership.ukm)
        check_not_muted(membership)
        check_not_deleted(message)
        if utcnow() - message.created_at > EDIT_WITHIN:
            raise Forbidden(_("Pesan hanya bisa diubah selama 15 menit."), code="too_late")
        body = clean_text(text)
        if body != message.body:
            message.body, message.edited_at = body, utcnow()
            message.mentions = mentioned(membership.ukm_id, body)
            _append_change(message, "chat.edited")
    return message


def delete(user_id: int, code: str, message_id: int) -> None:
    """Erase a message: the user's own, or any as an admin of the UKM. Its row stays.

    Raises `NotFound`, `Forbidden`, `TooFast`.
    """
    with transaction():
        membership = memberships.get_membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(membership.ukm_id, message_id)
        if message.user_id != user_id and not membership.is_admin:
            raise Forbidden(_("Hanya penulis atau pengurus UKM yang boleh menghapus pesan."))
        if message.user_id != user_id and not message.deleted_at:
            activity.record_in_ukm(
                membership.ukm_id, user_id, "message_deleted", person_id=message.user_id
            )
        erase(message)


def erase(message: ChatMessage) -> None:
    """Scrub a message's text, inside `transaction()`. Idempotent."""
    if message.deleted_at:
        return
    message.body, message.mentions, message.deleted_at = "", None, utcnow()
    reactions.remove_for(message.id)
    pins.remove_for(message)
    _append_change(message, "chat.deleted")


def _append_change(message: ChatMessage, kind: str) -> None:
    """Append the change; an unpublished message will go out changed anyway."""
    if message.published_at:
        broadcast.append(message, kind)
