"""A UKM's members with their presence status."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from myukm.db.session import in_literals
from myukm.db.types import to_iso8601
from myukm.domain.presence import store
from myukm.extensions import db
from myukm.models import Membership, Ukm, User

MAX_LISTED, LISTED_OF_LARGE = 100, 50
ORDER = ("online", "away", "offline")


def presence_event(
    code: str, user: User | Row[*tuple[Any, ...]], status: str, online_count: int
) -> dict[str, Any]:
    """Return the data of a `presence` event (`Presence` in docs/api.yaml)."""
    return {
        "ukm": code,
        "user_id": user.id,
        "name": user.name,
        "status": status,
        "last_seen": to_iso8601(user.last_seen_at) if status == "offline" else None,
        "online_count": online_count,
    }


def counts(ukm_ids: Collection[int]) -> Counter[int]:
    """Return how many members of each UKM are online or away."""
    query = (
        select(Membership.ukm_id, func.count().label("size"))
        .where(Membership.ukm_id.in_(ukm_ids), in_literals(Membership.user_id, store.connected()))
        .group_by(Membership.ukm_id)
    )
    return Counter({row.ukm_id: row.size for row in db.session.execute(query)})


# Built once, because every chat page needs them.
_MEMBERS = select(
    Membership.ukm_id, Membership.is_admin, User.id, User.name, User.last_seen_at
).join(User, Membership.user_id == User.id)
_OF_UKMS = _MEMBERS.where(
    Membership.ukm_id.in_(bindparam("ukms", expanding=True, literal_execute=True))
).order_by(User.name, User.id)
_FIRST = (
    _MEMBERS.where(Membership.ukm_id == bindparam("ukm"))
    .order_by(Membership.user_id)
    .limit(MAX_LISTED + 1)
)
_SIZE = select(func.count()).where(Membership.ukm_id == bindparam("ukm"))


def _listed(
    ukm: Ukm, members: Sequence[Row[*tuple[Any, ...]]], online_count: int, status: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return the presence objects of these members with `is_admin`, sorted by status."""
    people = [
        {
            **presence_event(ukm.code, member, status.get(member.id, "offline"), online_count),
            "is_admin": member.is_admin,
        }
        for member in members
    ]
    return sorted(people, key=lambda person: ORDER.index(person["status"]))


def _lists(ukms: Collection[Ukm]) -> dict[int, list[dict[str, Any]]]:
    """Return the member list of each of these UKMs by its id, in one query."""
    by_ukm: dict[int, list[Any]] = {ukm.id: [] for ukm in ukms}
    for member in db.session.execute(_OF_UKMS, {"ukms": [ukm.id for ukm in ukms]}):
        by_ukm[member.ukm_id].append(member)
    status = store.statuses({member.id for members in by_ukm.values() for member in members})
    return {
        ukm.id: _listed(
            ukm, by_ukm[ukm.id], sum(member.id in status for member in by_ukm[ukm.id]), status
        )
        for ukm in ukms
    }


def member_list(ukm: Ukm) -> dict[str, Any]:
    """Return all members with their status: online first, then away, then offline, each by name.

    Of more than `MAX_LISTED` members it returns the counts and `LISTED_OF_LARGE` members: first
    connected ones, then the oldest accounts. The number of rows that it reads does not grow with
    the number of members.
    """
    members = db.session.execute(_FIRST, {"ukm": ukm.id}).all()
    if len(members) <= MAX_LISTED:
        status = store.statuses([member.id for member in members])
        size, count = len(members), len(status)
    else:
        status = store.connected()
        size, (connected, count) = count_members(ukm.id), _first_connected(ukm, status)
        absent = (member for member in members if member.id not in status)
        members = [*connected, *islice(absent, LISTED_OF_LARGE - len(connected))]
    people = _listed(ukm, sorted(members, key=lambda each: (each.name, each.id)), count, status)
    return {"online_count": count, "total_members": size, "members": people}


def _first_connected(
    ukm: Ukm, connected: Mapping[int, str]
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """Return up to `LISTED_OF_LARGE` connected members, by name, and the number of all connected
    members."""
    if not connected:
        return [], 0
    mine = (Membership.ukm_id == ukm.id, in_literals(Membership.user_id, connected))
    query = _MEMBERS.where(*mine).order_by(User.name, User.id).limit(LISTED_OF_LARGE)
    found = db.session.execute(query).all()
    full = len(found) == LISTED_OF_LARGE
    return found, counts([ukm.id])[ukm.id] if full else len(found)


def count_members(ukm_id: int) -> int:
    """Return the number of members of a UKM."""
    return db.session.scalar(_SIZE, {"ukm": ukm_id}) or 0


def snapshots(codes: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the presence objects of members of these UKMs who are online or away, at most 50 of
    each.

    This takes two queries, and up to two more for each large UKM.
    """
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = select(Ukm, size.scalar_subquery()).where(Ukm.code.in_(codes)).order_by(Ukm.code)
    ukms = db.session.execute(query).all()
    for people in _lists([ukm for ukm, count in ukms if count <= MAX_LISTED]).values():
        yield from _connected_of(people)
    if large := [ukm for ukm, count in ukms if count > MAX_LISTED]:
        connected = store.connected()
        for ukm in large:
            yield from _listed(ukm, *_first_connected(ukm, connected), connected)


def _connected_of(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those of a member list who are online or away, at most `LISTED_OF_LARGE`."""
    return [person for person in people[:LISTED_OF_LARGE] if person["status"] != "offline"]


def large(ukm_ids: Collection[int]) -> set[int]:
    """Return which of these UKMs are large: they have more than `MAX_LISTED` members."""
    query = (
        select(Membership.ukm_id)
        .where(in_literals(Membership.ukm_id, ukm_ids))
        .group_by(Membership.ukm_id)
        .having(func.count() > MAX_LISTED)
    )
    return set(db.session.scalars(query))
