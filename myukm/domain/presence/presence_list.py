"""A UKM's members with their presence status."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Row, func, select

from myukm.cache import ttl_cache
from myukm.db.types import to_iso8601
from myukm.domain.presence.store import statuses
from myukm.extensions import db
from myukm.models import Membership, Ukm, User

MAX_LISTED, LISTED_OF_LARGE = 100, 50
ORDER = ("online", "away", "offline")


def presence_event(
    ukm: Ukm, user: User | Row[*tuple[Any, ...]], status: str, online_count: int
) -> dict[str, Any]:
    """Return the presence object of the contract."""
    return {
        "ukm": ukm.code,
        "user_id": user.id,
        "name": user.name,
        "status": status,
        "last_seen": to_iso8601(user.last_seen_at) if status == "offline" else None,
        "online_count": online_count,
    }


def counts(ukm_ids: Collection[int]) -> Counter[int]:
    """Return how many members of each UKM are online or away."""
    query = select(Membership.ukm_id, Membership.user_id).where(Membership.ukm_id.in_(ukm_ids))
    rows = db.session.execute(query).all()
    here = statuses({user_id for _, user_id in rows})
    return Counter(ukm_id for ukm_id, user_id in rows if user_id in here)


def list_presence(ukm: Ukm) -> list[dict[str, Any]]:
    """Return the presence objects of all members with `is_admin`: online ones first, then by
    name."""
    return _lists([ukm])[ukm.id]


def _lists(ukms: Collection[Ukm]) -> dict[int, list[dict[str, Any]]]:
    """Return the member list of each of these UKMs by its id, in one query."""
    query = (
        select(Membership.ukm_id, Membership.is_admin, User.id, User.name, User.last_seen_at)
        .join(User, Membership.user_id == User.id)
        .where(Membership.ukm_id.in_([ukm.id for ukm in ukms]))
        .order_by(User.name, User.id)
    )
    members = db.session.execute(query).all()
    status = statuses({member.id for member in members})
    here = Counter(member.ukm_id for member in members if member.id in status)
    found: dict[int, list[dict[str, Any]]] = {ukm.id: [] for ukm in ukms}
    by_id = {ukm.id: ukm for ukm in ukms}
    for one in members:
        shown = presence_event(
            by_id[one.ukm_id], one, status.get(one.id, "offline"), here[one.ukm_id]
        )
        found[one.ukm_id].append({**shown, "is_admin": one.is_admin})
    for people in found.values():
        people.sort(key=lambda each: ORDER.index(each["status"]))
    return found


def online(ukm: Ukm) -> dict[str, Any]:
    """Return all members with their status, or the first 50 and the counts when there are more than
    100."""
    people = list_presence(ukm)
    return {
        "online_count": people[0]["online_count"] if people else 0,
        "total_members": len(people),
        "members": people if len(people) <= MAX_LISTED else people[:LISTED_OF_LARGE],
    }


def snapshots(codes: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the presence objects of online members of these UKMs, at most 50 of each.

    This takes two queries, and one more for each large UKM.
    """
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = select(Ukm, size.scalar_subquery()).where(Ukm.code.in_(codes)).order_by(Ukm.code)
    ukms = db.session.execute(query).all()
    for people in _lists([ukm for ukm, count in ukms if count <= MAX_LISTED]).values():
        yield from _online_only(people)
    for ukm, count in ukms:
        if count > MAX_LISTED:
            yield from _large_ukm_snapshot(ukm.code)


@ttl_cache(2.0)
def _large_ukm_snapshot(code: str) -> list[dict[str, Any]]:
    """Cached for 2 s, so that mass reconnects share one query."""
    return _online_only(
        list_presence(db.session.scalars(select(Ukm).where(Ukm.code == code)).one())
    )


def _online_only(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [person for person in people[:LISTED_OF_LARGE] if person["status"] != "offline"]


def is_large(ukm_id: int) -> bool:
    """Return whether a UKM has more members than are listed and published one by one."""
    size = select(func.count()).where(Membership.ukm_id == ukm_id)
    return (db.session.scalar(size) or 0) > MAX_LISTED
