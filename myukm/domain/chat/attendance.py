"""Who of a UKM is here: its members with the status that Valkey knows."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, select

from myukm.database import iso
from myukm.domain.chat.presence_store import statuses
from myukm.extensions import db
from myukm.models import Membership, Ukm, User
from myukm.recent import recent

MOST_LISTED, LISTED_OF_MANY = 100, 50
ORDER = ("online", "away", "offline")


def person(
    ukm: Ukm, user: User | Row[*tuple[Any, ...]], status: str, online_count: int
) -> dict[str, Any]:
    """Return the presence object of the contract."""
    return {
        "ukm": ukm.code,
        "user_id": user.id,
        "name": user.name,
        "status": status,
        "last_seen": iso(user.last_seen_at) if status == "offline" else None,
        "online_count": online_count,
    }


def counts(ukm_ids: Collection[int]) -> Counter[int]:
    """Return how many members of each UKM are online or away."""
    query = select(Membership.ukm_id, Membership.user_id).where(Membership.ukm_id.in_(ukm_ids))
    rows = db.session.execute(query).all()
    here = statuses({user_id for _, user_id in rows})
    return Counter(ukm_id for ukm_id, user_id in rows if user_id in here)


def roll(ukm: Ukm) -> list[dict[str, Any]]:
    """Return the presence objects of all members with `is_admin`: who is here first, by name."""
    query = (
        select(User.id, User.name, User.last_seen_at, Membership.is_admin)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.ukm_id == ukm.id)
        .order_by(User.name, User.id)
    )
    members = db.session.execute(query).all()
    here = statuses([member.id for member in members])
    people = [
        {
            **person(ukm, member, here.get(member.id, "offline"), len(here)),
            "is_admin": member.is_admin,
        }
        for member in members
    ]
    return sorted(people, key=lambda one: ORDER.index(one["status"]))


def online(ukm: Ukm) -> dict[str, Any]:
    """Return who is here: all members, or the first 50 and the counts of more than 100."""
    people = roll(ukm)
    return {
        "online_count": people[0]["online_count"] if people else 0,
        "total_members": len(people),
        "members": people if len(people) <= MOST_LISTED else people[:LISTED_OF_MANY],
    }


def snapshot(code: str) -> list[dict[str, Any]]:
    """Return the presence objects of a UKM's members who are here, at most 50."""
    ukm = db.session.scalar(select(Ukm).where(Ukm.code == code))
    if ukm is None:
        return []
    return _crowd(code) if is_crowd(ukm.id) else _here(ukm)


@recent(2.0)
def _crowd(code: str) -> list[dict[str, Any]]:
    """Of a crowd that comes back at once after a restart, not everyone asks anew."""
    return _here(db.session.scalars(select(Ukm).where(Ukm.code == code)).one())


def _here(ukm: Ukm) -> list[dict[str, Any]]:
    return [person for person in roll(ukm)[:LISTED_OF_MANY] if person["status"] != "offline"]


def is_crowd(ukm_id: int) -> bool:
    """Return whether a UKM has more members than are listed and told one by one."""
    size = select(func.count()).where(Membership.ukm_id == ukm_id)
    return (db.session.scalar(size) or 0) > MOST_LISTED
