"""Mentions (`@nama`): resolve them to members, and suggest members while typing."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Row, select

from myukm.extensions import db
from myukm.models import Membership, User

AT = re.compile(r"(?<![^\W_])@(?=\w)")
# A letter or digit after a name makes it another name; an underscore alone may be emphasis.
NAME_END = re.compile(r"(?!_*[^\W_])")
# Where an @ is no mention: e-mail addresses, web addresses with or without scheme, code. The page
# marks mentions by the same rules (static/js/chat/rich_text.js).
LITERAL = re.compile(
    r"""`[^`\n]+`
    | \w+://\S* | \bwww\.\S*
    | @?(?<![\w.+%'-])[\w.+%'-]*[\w+%-]@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}
    | (?<![\w@.-])(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?[/?\#]\S*""",
    re.VERBOSE,
)
APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´", "'"))
MAX_NAME, MAX_NAMED, MAX_SUGGESTED = 120, 20, 8

Member = Row[int, str]


def mentioned(ukm_id: int, text: str) -> list[int] | None:
    """Return the ids of members that `text` mentions with `@`, None if there are none.

    A mention is a full name, or a first word that only one member has. Members with the same name
    are all mentioned.
    """
    spoken = LITERAL.sub("`", text)
    if not AT.search(spoken):
        return None
    names = _names(_members(ukm_id))
    starts = (spoken[at.end() : at.end() + 2 * MAX_NAME] for at in AT.finditer(spoken))
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
        name = _fold(member.name)
        whole[name].append(member.id)
        first[name.partition(" ")[0]].append(member.id)
    return {word: ids for word, ids in first.items() if len(ids) == 1} | whole


def _named(start: str, names: dict[str, list[int]]) -> list[int]:
    """Return the ids for the longest name with which `start` begins, whatever sign follows it."""
    rest = _fold(start.partition("\n")[0])
    ends = range(min(len(rest), MAX_NAME), 0, -1)
    fitting = (rest[:end] for end in ends if rest[:end] in names and NAME_END.match(rest, end))
    return names.get(next(fitting, ""), [])


def _fold(text: str) -> str:
    """Return `text` as names are compared: without case, single blanks, one kind of apostrophe."""
    return " ".join(text.casefold().translate(APOSTROPHES).split())
