"""Normalizes typed text before it is stored: NFC, without invisible characters."""

import re
import unicodedata

# Characters that Unicode counts as letters, marks or symbols, but that look blank.
_BLANK_SIGNS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# Control characters except newlines and tabs, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def clean(text: str) -> str:
    """Return `text` in NFC, trimmed, without control characters except newlines and tabs.

    Lone surrogates, which no database stores, are removed.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROL.sub("", lines)).strip()


def clean_line(text: str) -> str:
    """Return `text` as one line with single blanks and without zero-width characters.

    In a name, zero-width characters could imitate another name or reverse the text after it.
    """
    shown = (c for c in clean(text) if unicodedata.category(c) != "Cf")
    return " ".join(_BLANK_SIGNS.sub("", "".join(shown)).split())


def is_blank(text: str) -> bool:
    """Return whether `text` is empty or consists of invisible characters."""
    return all(unicodedata.category(c) in _UNSEEN for c in _BLANK_SIGNS.sub("", text))
