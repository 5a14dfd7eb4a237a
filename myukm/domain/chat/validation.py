"""Validation of messages and of the right to post."""

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.db.types import is_id
from myukm.domain.text_normalization import clean, is_blank
from myukm.errors import Conflict, Forbidden, Invalid, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, Membership

MAX_LENGTH, MAX_CLIENT_ID = 1000, 64


def check_client_id(client_id: str) -> None:
    """Raise `Invalid` unless `client_id` has 1 to 64 printable characters."""
    if not client_id:
        raise Invalid(_("client_id harus diisi."), code="bad_client_id")
    if len(client_id) > MAX_CLIENT_ID:
        raise Invalid(_("client_id paling panjang 64 karakter."), code="bad_client_id")
    if not client_id.isprintable():
        text = _("client_id berisi karakter yang tidak bisa disimpan.")
        raise Invalid(text, code="bad_client_id")


def clean_text(text: str, *, may_be_blank: bool = False) -> str:
    """Return a message's text in stored form. Raises `Invalid` if it is not acceptable."""
    # A text over four times the limit is rejected without cleaning, to save the work.
    body = clean(text) if len(text) <= 4 * MAX_LENGTH else text
    if len(body) > MAX_LENGTH:
        raise Invalid(_("Pesan paling panjang 1.000 karakter."), code="message_too_long")
    if is_blank(body):
        if may_be_blank:
            return ""
        raise Invalid(_("Pesan tidak boleh kosong."), code="empty_message")
    return body


def check_not_muted(membership: Membership) -> None:
    """Raise `Forbidden` if the member is muted."""
    if membership.is_muted():
        raise Forbidden(_("Anda sedang dibisukan di UKM ini."), code="muted")


def find_message(ukm_id: int, message_id: int) -> ChatMessage:
    """Return a message of the UKM, read under the UKM's lock. Raises `NotFound`."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user), joinedload(ChatMessage.ukm))
        .where(ChatMessage.ukm_id == ukm_id, ChatMessage.id == message_id)
        .execution_options(populate_existing=True)
    )
    message = db.session.scalar(query) if is_id(message_id) else None
    if message is None:
        raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
    return message


def check_not_deleted(message: ChatMessage) -> None:
    """Raise `Conflict` for a deleted message."""
    if message.deleted_at:
        raise Conflict(_("Pesan ini sudah dihapus."), code="message_deleted")
