"""Mentions (`@nama`): resolve them to members, and suggest members while typing."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Row, select

from myukm.extensions import db
from myukm.models import Membership, User

AT = re.compile(r"(?<!\w)@(?=\w)")
MAX_NAME, MAX_NAMED, MAX_SUGGESTED = 120, 20, 8
PUNCTUATION = ".,;:!?…)]}'\"”’»"

Member = Row[int, str]


def mentioned(ukm_id: int, text: str) -> list[int] | None:
    """Return the ids of members that `text` mentions with `@`, None if there are none.

    A mention is a full name, or a first word that only one member has. Members with the same name
    are all mentioned.
    """
    if not AT.search(text):
        return None
    names = _names(_members(ukm_id))
    starts = (text[at.end() : at.end() + MAX_NAME] for at in AT.finditer(text))
    found = dict.fromkeys(user_id for start in starts for user_id in _named(start, names))
    return list(found)[:MAX_NAMED] or None


def suggest(ukm_id: int, start: str) -> list[dict[str, object]]:
    """Return `{"user_id", "name"}` of up to 8 members with a word that starts with `start`."""
    wanted = start.casefold()
    fitting = (
        {"user_id": member.id, "name": member.name}
        for member in _members(ukm_id)
        if any(part.startswith(wanted) for part in _beginnings(member.name.casefold()))
    )
    return list(islice(fitting, MAX_SUGGESTED))


def _beginnings(name: str) -> Iterator[str]:
    """Yield the suffixes of the name that start at a word."""
    words = name.split()
    return (" ".join(words[n:]) for n in range(len(words)))


def _members(ukm_id: int) -> Sequence[Member]:
    query = (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.ukm_id == ukm_id, User.blocked_at.is_(None))
        .order_by(User.name, User.id)
    )
    return db.session.execute(query).all()


def _names(members: Sequence[Member]) -> dict[str, list[int]]:
    """Return ids by full name, and by each first word that only one member has."""
    whole, first = defaultdict(list), defaultdict(list)
    for member in members:
        name = member.name.casefold()
        whole[name].append(member.id)
        first[name.partition(" ")[0]].append(member.id)
    return {word: ids for word, ids in first.items() if len(ids) == 1} | whole


def _named(rest: str, names: dict[str, list[int]]) -> list[int]:
    """Return the ids for the longest name at the start of `rest`."""
    words = rest.casefold().split()
    for count in range(len(words), 0, -1):
        candidate = " ".join(words[:count])
        for name in (candidate, candidate.rstrip(PUNCTUATION)):
            if name in names:
                return names[name]
    return []
