"""Snippets of found messages: the part around the first hit, with the hits highlighted."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from myukm.domain.chat.search_query import Wanted
from myukm.models.search_terms import WORD
from myukm.models.siswa import fold

BEFORE, LENGTH = 60, 240  # characters before the first hit, and in all


class _Word(NamedTuple):
    text: str
    start: int
    end: int


def snippet(body: str, wanted: Wanted) -> Markup:
    """Return the escaped part of `body` around the first hit, each hit in `<mark>`."""
    hits = _hits(list(_words(body)), wanted)
    start = _start(body, hits[0][0] if hits else 0)
    end = min(len(body), start + LENGTH)
    shown, at = escape("…" if start else ""), start
    for first, last in hits:
        if at <= first and last <= end:
            shown += escape(body[at:first]) + Markup("<mark>{}</mark>").format(body[first:last])
            at = last
    return shown + escape(body[at:end]) + ("…" if end < len(body) else "")


def _start(body: str, hit: int) -> int:
    """Return the index at which the snippet begins: at a word if possible, at most `BEFORE`
    characters before the hit."""
    if hit <= BEFORE:
        return 0
    blank = body.find(" ", hit - BEFORE, hit)
    return hit - BEFORE if blank < 0 else blank + 1


def _hits(found: list[_Word], wanted: Wanted) -> list[tuple[int, int]]:
    """Return the start and end of each phrase in the text, in order and without overlaps."""
    texts = [word.text for word in found]
    places = sorted(
        (found[n].start, found[n + len(phrase) - 1].end)
        for phrase in wanted.phrases
        for n in range(len(texts) - len(phrase) + 1)
        if tuple(texts[n : n + len(phrase)]) == phrase
    )
    merged: list[tuple[int, int]] = []
    for start, end in places:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _words(body: str) -> Iterator[_Word]:
    """Yield the folded words with their place in `body`."""
    folded = [(char, n) for n, letter in enumerate(body) for char in _fold(letter)]
    for word in WORD.finditer("".join(char for char, _n in folded)):
        yield _Word(word[0], folded[word.start()][1], folded[word.end() - 1][1] + 1)


@lru_cache(4096)
def _fold(letter: str) -> str:
    return " " if letter.isspace() else fold(letter)
