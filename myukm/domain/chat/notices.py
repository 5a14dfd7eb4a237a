"""Which messages of a UKM ring for a member: all, those that name them, or none."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import update

from myukm.database import write
from myukm.domain.chat import unread
from myukm.errors import Invalid
from myukm.models import Membership

CHOICES = ("all", "mentions", "none")


def choose(place: Membership, choice: Any) -> None:
    """Store a member's choice and tell all their pages. Raises `Invalid` for another word."""
    if choice not in CHOICES:
        raise Invalid(_("Pilih all, mentions, atau none."), code="bad_notices")
    with write() as session:
        session.execute(update(Membership).where(Membership.id == place.id).values(notices=choice))
    unread.tell(place.ukm_id, place.user_id)
