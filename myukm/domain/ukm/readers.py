"""Who has read a UKM's announcement: members who had the chat in view since the announcement
was pinned.

Computed from the read marker (`Membership.read_at`), so nothing is stored for each reader.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, not_, select

from myukm.domain.paging import Page, paginate_rows
from myukm.domain.ukm.debounce import Debounced
from myukm.extensions import db
from myukm.live import pubsub
from myukm.live.topics import ukm_topic
from myukm.models import Membership, Ukm, UkmPin, User


class Person(NamedTuple):
    """A member in the lists of who has read the announcement and who has not."""

    user_id: int
    name: str
    nim: str


class Readers(NamedTuple):
    """How many of a UKM's members have read its announcement."""

    read: int
    members: int


def has_read() -> ColumnElement[bool]:
    """Return the SQL condition for memberships whose owner has read the UKM's announcement."""
    return and_(Membership.read_at.is_not(None), Membership.read_at >= UkmPin.at)


def counts(ukm_ids: Collection[int]) -> dict[int, Readers]:
    """Return for each of these UKMs that has an announcement how many have read it."""
    query = (
        select(UkmPin.ukm_id, func.count(case((has_read(), 1))), func.count())
        .join(Membership, Membership.ukm_id == UkmPin.ukm_id)
        .where(UkmPin.ukm_id.in_(ukm_ids))
        .group_by(UkmPin.ukm_id)
    )
    return {ukm_id: Readers(*numbers) for ukm_id, *numbers in db.session.execute(query)}


def is_unread(membership: Membership) -> bool:
    """Return whether the UKM has an announcement that this member has not read."""
    at = db.session.scalar(select(UkmPin.at).where(UkmPin.ukm_id == membership.ukm_id))
    return at is not None and (membership.read_at is None or membership.read_at < at)


def find(ukm: Ukm, page: int = 1, *, read: bool) -> Page[Person]:
    """Return a page of the members who have read the announcement, or have not, by name."""
    query: Any = (
        select(User.id, User.name, User.nim)
        .join_from(Membership, User)
        .join(UkmPin, UkmPin.ukm_id == Membership.ukm_id)
        .where(Membership.ukm_id == ukm.id, has_read() if read else not_(has_read()))
        .order_by(User.name, User.id)
    )
    found = paginate_rows(query, page)
    return Page(
        [Person(row.id, row.name, row.nim) for row in found.items],
        found.page,
        found.pages,
        found.total,
    )


def publish(ukm_id: int) -> bool:
    """Publish how many members have read the announcement; return whether Valkey accepted it. A
    transient event, because pages read the numbers from the database when they load or connect
    again."""
    numbers = counts([ukm_id]).get(ukm_id)
    code = db.session.scalar(select(Ukm.code).where(Ukm.id == ukm_id))
    if not numbers or not code:
        return True
    event: dict[str, Any] = {"ukm": code, **numbers._asdict()}
    return pubsub.publish_transient(ukm_topic(code), "ukm.readers", event)


# Many members read an announcement at once: one event per interval is enough.
debounced = Debounced("myukm:chat:readers", 5000, publish)
