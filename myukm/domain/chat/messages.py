"""Messages of a UKM: post, edit, delete. A message is stored first and published afterwards."""

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.chat import addressees, broadcast, pins, reactions, unsettled_reports
from myukm.domain.chat.mentions import mentioned
from myukm.domain.chat.storing import Outdated, store
from myukm.domain.chat.validation import (
    check_client_id,
    check_not_deleted,
    check_not_muted,
    clean_text,
    find_message,
)
from myukm.domain.files import attachments
from myukm.domain.flood import check_pace, count_act
from myukm.domain.ukm import memberships, unread
from myukm.errors import DomainError, Forbidden
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, User
from myukm.models.search_terms import search_text

EDIT_WITHIN = timedelta(minutes=15)


def post(
    user: User,
    code: str,
    text: str,
    client_id: str,
    reply_to: int | None = None,
    files: Sequence[int] = (),
) -> tuple[ChatMessage, bool]:
    """Store a message, schedule its publishing, and return it and whether it is new.

    Idempotent by `client_id`. `reply_to` is the id of the answered message, or None; `files` are
    ids of the user's uploads, with which the text may be empty. Raises `NotFound`, `Invalid`,
    `Forbidden` if the user is muted, `Conflict` if the UKM is archived, `TooFast` (see `flood`).
    """
    membership = memberships.get_membership(user.id, code)
    check_client_id(client_id)
    try:
        return store(membership, _draft(membership, user, text, client_id, reply_to, files)), True
    except Outdated:
        return post(user, code, text, client_id, reply_to, files)
    except (DomainError, IntegrityError):
        if known := _stored_before(membership, client_id):
            return known, False
        raise


def _stored_before(membership: Membership, client_id: str) -> ChatMessage | None:
    query = select(ChatMessage).filter_by(
        ukm_id=membership.ukm_id, user_id=membership.user_id, client_id=client_id
    )
    return db.session.scalar(query)


def _draft(
    membership: Membership,
    user: User,
    text: str,
    client_id: str,
    reply_to: int | None,
    files: Sequence[int],
) -> ChatMessage:
    """Validate the message and return it, not stored yet. Raises as `post`. Locks no row."""
    body = clean_text(text, may_be_blank=bool(files))
    memberships.check_not_archived(membership.ukm)
    check_not_muted(membership)
    check_pace(user)
    attached = attachments.unsent(membership, files)
    quoted = None if reply_to is None else find_message(membership.ukm_id, reply_to)
    draft = ChatMessage(
        ukm_id=membership.ukm_id,
        user_id=user.id,
        client_id=client_id,
        body=body,
        reply_to_id=quoted and quoted.id,
        mentions=mentioned(membership.ukm_id, body),
        created_at=utcnow(),
        edited_at=None,
        deleted_at=None,
        published_at=None,
        file_count=len(attached),
    )
    known = {"ukm": membership.ukm, "user": user, "reply_to": quoted, "files": attached}
    for name, value in known.items():
        set_committed_value(draft, name, value)
    return draft


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
        body = clean_text(text, may_be_blank=message.file_count > 0)
        if body != message.body:
            message.body, message.edited_at = body, utcnow()
            index(message)
            message.mentions = mentioned(membership.ukm_id, body)
            addressees.remove_for(message.id)
            addressees.record(message, message.id)
            append_change(message, "chat.edited")
    return message


def delete(user_id: int, code: str, message_id: int) -> None:
    """Erase a message: the user's own, or as an admin of the UKM any message. Its row stays.

    An admin's deletion settles the reports of the message. Raises `NotFound`, `Forbidden`,
    `TooFast`.
    """
    with transaction() as session:
        membership = memberships.get_membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(membership.ukm_id, message_id)
        if message.user_id != user_id and not membership.is_admin:
            raise Forbidden(_("Hanya penulis atau pengurus UKM yang boleh menghapus pesan."))
        if message.user_id != user_id and not message.deleted_at:
            activity.record_in_ukm(
                membership.ukm_id, user_id, "message_deleted", person_id=message.user_id
            )
            unsettled_reports.settle(session, membership.ukm, message.id)
        erase(message)


def erase(message: ChatMessage) -> None:
    """Scrub a message's text and delete its files, inside `transaction()`. Idempotent."""
    if message.deleted_at:
        return
    message.body, message.mentions, message.deleted_at = "", None, utcnow()
    message.search_text = ""
    reactions.remove_for(message.id)
    addressees.remove_for(message.id)
    on_commit(unread.debounced.publish, message.ukm_id)
    pins.remove_for(message)
    attachments.remove_for(message)
    append_change(message, "chat.deleted")


def index(message: ChatMessage) -> None:
    """Store the terms under which a search finds a changed message, inside `transaction()`."""
    message.search_text = search_text(
        message.ukm_id, message.user_id, message.body, has_files=message.file_count > 0
    )


def append_change(message: ChatMessage, kind: str) -> None:
    """Append a change of a message, inside `transaction()`. An unpublished message needs no event,
    because it will be published with the change."""
    if message.published_at:
        broadcast.append(message, kind)
