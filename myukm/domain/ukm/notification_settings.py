"""A member's notification level in a UKM (all messages, mentions only, or none), and whether push
notifications come for every message."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from myukm.db.session import on_commit, transaction
from myukm.domain.ukm import unread
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import Membership, Ukm

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


def set_push_all(membership: Membership, every: bool) -> None:
    """Store whether push notifications come for every message, or for mentions and replies only."""
    with transaction() as session:
        mine = update(Membership).where(Membership.id == membership.id)
        session.execute(mine.values(push_all=every))


def of(user_id: int) -> Sequence[Membership]:
    """Return a person's memberships of active UKMs with their UKMs, by name."""
    query = (
        select(Membership)
        .join(Ukm, Ukm.id == Membership.ukm_id)
        .where(Membership.user_id == user_id, Ukm.archived_at.is_(None))
        .options(joinedload(Membership.ukm))
        .order_by(Ukm.search_text, Ukm.id)
    )
    return db.session.scalars(query).all()
