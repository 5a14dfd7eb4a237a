"""Messages of a UKM: post, edit, delete. A message is stored first and published afterwards."""

from datetime import timedelta
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import Table, Update, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.chat import addressees, broadcast, pins, reactions
from myukm.domain.chat.mentions import mentioned
from myukm.domain.chat.validation import (
    check_client_id,
    check_not_deleted,
    check_not_muted,
    clean_text,
    find_message,
)
from myukm.domain.flood import check_pace, count_act
from myukm.domain.ukm import memberships, unread
from myukm.errors import DomainError, Forbidden
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User

EDIT_WITHIN = timedelta(minutes=15)


def post(
    user: User, code: str, text: str, client_id: str, reply_to: int | None = None
) -> tuple[ChatMessage, bool]:
    """Store a message, schedule its publishing, and return it and whether it is new.

    Idempotent by `client_id`. `reply_to` is the id of the message it answers, or None. Raises
    `NotFound`, `Invalid`, `Forbidden` if muted, `Conflict` if archived, `TooFast` (see `flood`).
    """
    membership = memberships.get_membership(user.id, code)
    check_client_id(client_id)
    try:
        return _store(membership, _draft(membership, user, text, client_id, reply_to)), True
    except _Outdated:
        return post(user, code, text, client_id, reply_to)
    except (DomainError, IntegrityError):
        if known := _stored_before(membership, client_id):
            return known, False
        raise


class _Outdated(Exception):
    """What was read before the lock is no longer so: read it again, which gives the right error."""


def _stored_before(membership: Membership, client_id: str) -> ChatMessage | None:
    query = select(ChatMessage).filter_by(
        ukm_id=membership.ukm_id, user_id=membership.user_id, client_id=client_id
    )
    return db.session.scalar(query)


def _draft(
    membership: Membership, user: User, text: str, client_id: str, reply_to: int | None
) -> ChatMessage:
    """Return the message, not stored yet. Raises what speaks against it; no row is locked yet."""
    body = clean_text(text)
    memberships.check_not_archived(membership.ukm)
    check_not_muted(membership)
    check_pace(user)
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
    )
    for name, known in (("ukm", membership.ukm), ("user", user), ("reply_to", quoted)):
        set_committed_value(draft, name, known)
    return draft


def _store(membership: Membership, message: ChatMessage) -> ChatMessage:
    """Insert the message with the UKM's next number, and mark it read for its author.

    Four statements, of which the first locks the UKM's row. Raises `_Outdated` if meanwhile the UKM
    was archived, or the author muted or removed; `IntegrityError` for a stored `client_id`.
    """
    values = {"ukm": membership.ukm_id, "mine": membership.id, "now": utcnow()}
    with transaction() as session:
        _change(session, _TAKE_NUMBER, values)
        count_act(message.user_id)
        row = session.connection().execute(_INSERT, values | _columns(message))
        message_id = cast(Any, row.inserted_primary_key)[0]
        addressees.record(message, message_id)
        _change(session, _MARK_READ, values)
        on_commit(broadcast.broadcast_later, membership.ukm_id)
        # Before the commit, after which the same row may be loaded to be published.
        message.id = message_id
        make_transient_to_detached(message)
        session.add(message)
    return message


def _columns(message: ChatMessage) -> dict[str, Any]:
    return {name: value for name, value in vars(message).items() if name in _MESSAGE.c}


def _change(session: Session, statement: Update, values: dict[str, Any]) -> None:
    """Execute an UPDATE of one row. Raises `_Outdated` if there is none."""
    if not session.connection().execute(statement, values).rowcount:
        raise _Outdated


# Built once, because building a statement takes longer than executing it.
_MESSAGE, _UKM, _MEMBERSHIP = (
    cast(Table, model.__table__) for model in (ChatMessage, Ukm, Membership)
)
_ITS_UKM = _UKM.c.id == bindparam("ukm")
_NUMBER = select(_UKM.c.last_number).where(_ITS_UKM).scalar_subquery()
_TAKE_NUMBER = (
    update(_UKM)
    .where(_ITS_UKM, _UKM.c.archived_at.is_(None))
    .values(last_number=_UKM.c.last_number + 1)
)
_INSERT = insert(_MESSAGE).values(number=_NUMBER)
_MARK_READ = (
    update(_MEMBERSHIP)
    .where(_MEMBERSHIP.c.id == bindparam("mine"))
    .where(_MEMBERSHIP.c.muted_until.is_(None) | (_MEMBERSHIP.c.muted_until <= bindparam("now")))
    .values(read_number=_NUMBER)
)


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
            addressees.forget(message.id)
            addressees.record(message, message.id)
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
    addressees.forget(message.id)
    on_commit(unread.publish_debounced, message.ukm_id)
    pins.remove_for(message)
    _append_change(message, "chat.deleted")


def _append_change(message: ChatMessage, kind: str) -> None:
    """Append the change; an unpublished message will go out changed anyway."""
    if message.published_at:
        broadcast.append(message, kind)
