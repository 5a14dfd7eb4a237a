"""Uploads to the chat of a UKM: the checks, and a row for each file."""

from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import select, update

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain.chat import messages
from myukm.domain.chat.validation import check_client_id, check_not_muted
from myukm.domain.files import attachments, contents, quotas
from myukm.domain.files.contents import Contents
from myukm.domain.ukm import memberships
from myukm.errors import Invalid, Unavailable
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Membership


class Upload(NamedTuple):
    """A received file: the path of its bytes, and the name, type and id that the client gave it."""

    draft: Path
    name: str
    type: str
    client_id: str


def check_may_upload(user_id: int, code: str, size: int) -> Membership:
    """Return the user's membership of the UKM, if the user may upload a file of about `size` bytes.

    Raises `NotFound`, `Forbidden` if muted, `Conflict` if archived, and a `DomainError` (413) for
    a file that is too large or exceeds a quota.
    """
    membership = memberships.get_membership(user_id, code)
    memberships.check_not_archived(membership.ukm)
    check_not_muted(membership)
    quotas.check(user_id, membership.ukm_id, size)
    return membership


def stored_before(membership: Membership, client_id: str) -> ChatFile | None:
    """Return the member's file with this `client_id`, if its bytes are stored."""
    check_client_id(client_id)
    file = _row(membership, client_id)
    return file if file and file.stored_at else None


def _row(membership: Membership, client_id: str) -> ChatFile | None:
    query = select(ChatFile).filter_by(
        ukm_id=membership.ukm_id, user_id=membership.user_id, client_id=client_id
    )
    return db.session.scalar(query.execution_options(populate_existing=True))


def store(user_id: int, code: str, sent: Upload) -> tuple[ChatFile, bool]:
    """Store a file; return it, and whether it is new.

    First its row is committed, then the bytes are stored, then `stored_at` is set. A process that
    is killed in between leaves a row that is never shown, and `files.cleanup` deletes it.
    Idempotent by `client_id`. Raises as `check_may_upload`, `Invalid` for a file that may not be
    sent, `Unavailable` if too many pictures wait or the same file is being stored, OSError if the
    storage does not respond.
    """
    if not sent.draft.stat().st_size:
        raise Invalid(_("Berkas ini kosong."), code="file_empty")
    with contents.checked(sent.draft, sent.name, sent.type) as found:
        file = _create_row(user_id, code, sent.client_id, found)
        if file.stored_at:
            return file, False
        found.store()
        return _confirm(file, found), True


def _create_row(user_id: int, code: str, client_id: str, found: Contents) -> ChatFile:
    """Commit the row of a file whose bytes are not stored yet, within the quotas.

    Returns the row of an earlier upload with this `client_id` if its bytes are stored.
    """
    with transaction() as session:
        membership = memberships.get_membership(user_id, code, lock=True)
        memberships.check_not_archived(membership.ukm)
        check_not_muted(membership)
        file = _row(membership, client_id)
        if file and file.stored_at:
            return file
        quotas.check(user_id, membership.ukm_id, found.size - (file.size if file else 0))
        file = file or ChatFile(ukm_id=membership.ukm_id, user_id=user_id, client_id=client_id)
        file.created_at = utcnow()
        for name in _COPIED:
            setattr(file, name, getattr(found, name))
        session.add(file)
    return file


_COPIED = ("name", "type", "size", "width", "height", "digest", "thumbnail")


def _confirm(file: ChatFile, found: Contents) -> ChatFile:
    """Set `stored_at`. Raises `Unavailable` if the row was deleted or got other bytes meanwhile."""
    now = utcnow()
    unconfirmed = (ChatFile.id == file.id, ChatFile.digest == found.digest)
    with transaction() as session:
        if not execute_rowcount(
            session, update(ChatFile).where(*unconfirmed).values(stored_at=now)
        ):
            text = _("Berkas ini sedang diunggah. Coba lagi beberapa detik lagi.")
            raise Unavailable(text, code="busy", retry_after=2)
    file.stored_at = now
    return file


def remove_all_of(user_id: int) -> None:
    """Delete all files of a person, inside `transaction()`. A message of files alone is erased."""
    query = select(ChatMessage).where(ChatMessage.user_id == user_id, ChatMessage.file_count > 0)
    for message in db.session.scalars(query).all():
        attachments.remove_for(message)
        if not message.body:
            messages.erase(message)
        else:
            messages.index(message)
            messages.append_change(message, "chat.edited")
    attachments.discard_all_of(user_id)
