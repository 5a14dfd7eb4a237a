"""Search in names of accounts, which unlike students have no column of folded text."""

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, or_

from myukm.models.siswa import LETTERS, QUOTES, fold

LATIN = (range(0xC0, 0x250), range(0x1E00, 0x1F00))
MAX_WORDS, MAX_LETTERS = 8, 60


def _variants() -> dict[str, str]:
    """Return, by plain letter, the Latin letters that a search treats as equal to it."""
    found: defaultdict[str, str] = defaultdict(str)
    for letter in (*LETTERS, *(chr(code) for codes in LATIN for code in codes)):
        if len(plain := fold(letter)) == 1 and letter != plain:
            found[plain] += letter
    return found


VARIANTS = _variants()


def name_matches(q: str, name: Any, nim: Any = None) -> list[ColumnElement[bool]]:
    """Return the conditions that the column `name`, or `nim` if it is given, contains each word of
    `q`. Only the first `MAX_WORDS` words count."""
    conditions = []
    for word in q.split()[:MAX_WORDS]:
        by_nim = [] if nim is None else [nim.icontains(word, autoescape=True)]
        conditions.append(or_(name_contains(name, word), *by_nim))
    return conditions


def name_contains(column: Any, word: str) -> ColumnElement[bool]:
    """Return the condition that a name contains a word as `fold` compares them: without case,
    accents, and any kind of apostrophe or quote.

    The pattern has the same meaning on all three databases. The query scans every account, which
    takes some milliseconds for thousands, but needs no folded column, which could become outdated.
    Only the first `MAX_LETTERS` of a word count, because databases limit the size of a pattern.
    """
    letters = (_pattern(letter) for letter in fold(word)[:MAX_LETTERS])
    found: ColumnElement[bool] = column.regexp_match("(?i)" + f"[{QUOTES}]*".join(letters))
    return found


def _pattern(letter: str) -> str:
    if variants := VARIANTS.get(letter):
        return f"[{letter}{variants}]"
    return letter if letter.isalnum() else f"\\{letter}"
