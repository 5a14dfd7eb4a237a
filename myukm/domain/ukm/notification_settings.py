"""A member's notification level in a UKM: all messages, mentions only, or none."""

from flask_babel import lazy_gettext as _
from sqlalchemy import update

from myukm.db.session import on_commit, transaction
from myukm.domain.ukm import unread
from myukm.errors import Invalid
from myukm.models import Membership

LEVELS = ("all", "mentions", "none")


def set_level(membership: Membership, level: str) -> None:
    """Store a member's level and publish it to the member's open pages.

    Raises `Invalid` for an unknown level.
    """
    if level not in LEVELS:
        raise Invalid(_("Pilih all, mentions, atau none."), code="bad_notices")
    with transaction() as session:
        session.execute(
            update(Membership).where(Membership.id == membership.id).values(notices=level)
        )
        on_commit(unread.publish, membership.ukm_id, membership.user_id)
