"""A message that still stands, found through its unit."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.database import is_id
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage


def standing(ukm_id: int, message_id: Any) -> ChatMessage:
    """Return a message of the unit. Raises `NotFound`, and `Conflict` for a deleted one.

    Call it while the unit is locked: then it stays as it is until the commit.
    """
    query = (
        select(ChatMessage)
        .where(ChatMessage.ukm_id == ukm_id, ChatMessage.id == message_id)
        .execution_options(populate_existing=True)
    )
    message = db.session.scalar(query) if is_id(message_id) else None
    if message is None:
        raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
    if message.deleted_at:
        raise Conflict(_("Pesan ini sudah dihapus."), code="message_deleted")
    return message
