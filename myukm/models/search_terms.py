"""The terms under which the database's full text finds a message: folded words, author, files.

A term contains its UKM's number, so that a UKM's hits are found without reading those of others. A
term consists of `a-z0-9_`, so all three databases take it for one word, and is never so short or
common that one of them would not index it.
"""

import re
from collections.abc import Iterable
from hashlib import blake2s

from myukm.models.siswa import fold

# Letters and digits of any script; an emoji is a word of its own.
EMOJI = "\U0001f000-\U0001faff\u2600-\u27bf"
WORD = re.compile(rf"[^\W_]+|[{EMOJI}]")
_FOREIGN = re.compile("[^a-z0-9]")
MAX_WORD = 40  # characters


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared, in order."""
    return WORD.findall(fold(" ".join(text.split())))


def word_term(ukm_id: int | str, word: str) -> str:
    """Return the term of a word of `words()`."""
    return f"u{ukm_id}_{_plain(word)}"


def author_term(ukm_id: int | str, user_id: int) -> str:
    """Return the term of all messages of an author."""
    return f"a{ukm_id}_{user_id}"


def files_term(ukm_id: int | str) -> str:
    """Return the term of all messages with files."""
    return f"f{ukm_id}_files"


def search_text(ukm_id: int, user_id: int, body: str, *, has_files: bool = False) -> str:
    """Return the terms of a message, each between two blanks."""
    terms = [author_term(ukm_id, user_id)]
    if has_files:
        terms.append(files_term(ukm_id))
    return joined([*terms, *(word_term(ukm_id, word) for word in words(body))])


def joined(terms: Iterable[str]) -> str:
    """Return terms that follow each other, in the form that they have in a `search_text`."""
    return f" {' '.join(terms)} "


def _plain(word: str) -> str:
    """Return the word in ASCII. A long word is cut and gets a digest, because an index leaves out
    long words."""
    plain = _FOREIGN.sub(lambda match: f"_{ord(match[0]):x}_", word)
    if len(plain) <= MAX_WORD:
        return plain
    return f"{plain[:16]}_{blake2s(word.encode(), digest_size=10).hexdigest()}"
