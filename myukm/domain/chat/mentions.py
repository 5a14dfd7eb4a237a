"""Mentions (`@nama`): resolve them to members, and suggest members while typing."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from heapq import nsmallest
from itertools import takewhile

from sqlalchemy import Row, select

from myukm.cache import ttl_cache
from myukm.extensions import db
from myukm.models import Membership, User
from myukm.models.siswa import fold

# An @ before a name, and not after a letter or digit.
AT = re.compile(r"(?<![^\W_])@(?=\w)")
# A letter or digit after a name makes it another name; an underscore alone may be emphasis.
NAME_END = re.compile(r"(?!_*[^\W_])")
# A link ends before characters that could disguise its address, such as those without width.
IN_LINK = r"""[^\s<>"`\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"""
# Where an @ is no mention: code, web addresses with or without scheme, e-mail addresses. The page
# marks mentions by the same rules (static/js/chat/rich_text.js), and tests/mention_cases.json is
# tested with both.
LITERAL = re.compile(
    rf"""(?<!`)(?P<fence>`{{3,}}+)(?s:.+?)(?P=fence) | `[^`\n]+`
    | ://{IN_LINK} | (?<![\w.@/-])www\.[\w-]+\.[^\W\d_]{IN_LINK}
    | @?(?<![\w.+%'-])[\w.+%'-]*[\w+%-]@(?:[\w-]+\.)+[^\W\d_]{{2,}}
    | (?<![\w@.-])(?:[\w-]+\.)+[^\W\d_]{{2,}}(?::\d+)?[/?\#]\S*""",
    re.VERBOSE | re.IGNORECASE,
)
APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛′´＇ʼʻʽʾʿˈ", "'"))
MAX_NAME = 120  # characters
MAX_NAMED, MAX_SUGGESTED = 20, 8  # members per message, and per suggestion

# The members' names are cached, because a UKM may have thousands of members and every key typed
# after an `@` requests suggestions.
NAMES_SECONDS = 5.0

Member = Row[int, str]


def mentioned(ukm_id: int, text: str) -> list[int] | None:
    """Return the ids of members that `text` mentions with `@`, None if there are none.

    A mention is a full name, or a first word that only one member has. Members with the same name
    are all mentioned.
    """
    # What surrounds a name decides where it ends, so only the literals' own @ are replaced.
    prose = LITERAL.sub(lambda found: found[0].replace("@", "`"), text)
    if not AT.search(prose):
        return None
    names = _names(ukm_id)
    # Twice as long as a name, because several blanks count as one.
    starts = (prose[at.end() : at.end() + 2 * MAX_NAME] for at in AT.finditer(prose))
    found = dict.fromkeys(user_id for start in starts for user_id in _named(start, names))
    return list(found)[:MAX_NAMED] or None


def suggest(ukm_id: int, start: str) -> list[dict[str, object]]:
    """Return `{"user_id", "name"}` of up to `MAX_SUGGESTED` members with a word in their name that
    starts with `start`, ignoring case, accents and apostrophes."""
    wanted = fold(start)
    members, parts, indexes = _beginnings(ukm_id)
    first = bisect_left(parts, wanted)
    fitting = takewhile(lambda n: parts[n].startswith(wanted), range(first, len(parts)))
    found = nsmallest(MAX_SUGGESTED, {indexes[n] for n in fitting})
    return [{"user_id": members[n].id, "name": members[n].name} for n in found]


@ttl_cache(NAMES_SECONDS)
def _beginnings(ukm_id: int) -> tuple[Sequence[Member], list[str], list[int]]:
    """Return the members, all suffixes of their names that begin at a word, sorted, and for each
    suffix the index of its member."""
    members = _members(ukm_id)
    found = []
    for index, member in enumerate(members):
        words = fold(member.name).split()
        found += [(" ".join(words[n:]), index) for n in range(len(words))]
    found.sort()
    return members, [part for part, _ in found], [index for _, index in found]


@ttl_cache(NAMES_SECONDS)
def _members(ukm_id: int) -> Sequence[Member]:
    query = (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.ukm_id == ukm_id, User.blocked_at.is_(None))
        .order_by(User.name, User.id)
    )
    return db.session.execute(query).all()


@ttl_cache(NAMES_SECONDS)
def _names(ukm_id: int) -> dict[str, list[int]]:
    """Return ids by full name, and by each first word that only one member has."""
    full, first = defaultdict(list), defaultdict(list)
    for member in _members(ukm_id):
        name = _as_compared(member.name)
        full[name].append(member.id)
        first[name.partition(" ")[0]].append(member.id)
    return {word: ids for word, ids in first.items() if len(ids) == 1} | full


def _named(start: str, names: dict[str, list[int]]) -> list[int]:
    """Return the ids for the longest name with which `start` begins; no letter or digit may follow
    the name."""
    rest = _as_compared(start.partition("\n")[0])
    ends = range(min(len(rest), MAX_NAME), 0, -1)
    fitting = (rest[:end] for end in ends if rest[:end] in names and NAME_END.match(rest, end))
    return names.get(next(fitting, ""), [])


def _as_compared(text: str) -> str:
    """Return `text` as names in mentions are compared: without case, single blanks, one kind of
    apostrophe. Accents count here; `fold`, for suggestions, ignores them."""
    return " ".join(text.casefold().translate(APOSTROPHES).split())
