"""Parses amounts given as text, with a decimal point or in Indonesian notation."""

import re
from collections.abc import Iterable
from decimal import Decimal

PLAIN = re.compile(r"-?[0-9]{1,16}")
# "350000.50". One point and three digits ("350.000") means thousands, because nobody bills
# thousandths of a rupiah, and reading 350 instead of 350,000 would clear a debt.
POINTED = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,16}")
THOUSANDS = r"[1-9][0-9]{0,2}(\.[0-9]{3}){1,4}"
INDONESIAN = re.compile(rf"-?(?:{THOUSANDS}(,[0-9]{{1,2}})?|[0-9]{{1,16}},[0-9]{{1,2}})")


def number(text: str) -> int | Decimal | None:
    """Return the amount in rupiah, None if the text is not an amount."""
    if PLAIN.fullmatch(text):
        return int(text)
    if INDONESIAN.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    return Decimal(text) if POINTED.fullmatch(text) else None


def is_ambiguous(amount: int | Decimal) -> bool:
    """Return whether a JSON number is written like 350.000.

    It is 350 by the rules of JSON, but a program that formats amounts for people meant 350,000.
    """
    return isinstance(amount, Decimal) and (
        amount.as_tuple().exponent == -3 and 1 <= abs(amount) < 1000
    )


def contradict(values: Iterable[object]) -> bool:
    """Return whether the amounts of one answer use both notations.

    Then a text such as "350.000" is ambiguous.
    """
    texts = [value for value in values if isinstance(value, str) and not PLAIN.fullmatch(value)]
    indonesian = [INDONESIAN.fullmatch(text) is not None for text in texts]
    return any(indonesian) and not all(indonesian)
