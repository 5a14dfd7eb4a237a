"""Normalize typed text before storing: NFC, without invisible characters."""

import re
import unicodedata

# Letters and marks by their category, yet nothing is drawn for them.
_BLANK_SIGNS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def clean(text: str) -> str:
    """Return `text` in NFC without control characters (line ends and tabs stay) and outer blanks.

    Half of a surrogate pair, which no database stores, goes as well.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def clean_line(text: str) -> str:
    """Return `text` as one line with single blanks and without what has no width.

    In a name such signs serve to look like someone else, or to turn a line of others around.
    """
    shown = (c for c in clean(text) if unicodedata.category(c) != "Cf")
    return " ".join(_BLANK_SIGNS.sub("", "".join(shown)).split())


def is_blank(text: str) -> bool:
    """Return whether a reader would see nothing of `text`."""
    return all(unicodedata.category(c) in _UNSEEN for c in _BLANK_SIGNS.sub("", text))
