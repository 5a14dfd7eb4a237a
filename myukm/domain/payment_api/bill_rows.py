"""A student's bills as rows: what is counted as one bill (see `owed`), flat, in whole sen."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from myukm.domain.payment_api.owed import HALF, ITEM, SUMMARY, Amount

# Period, class, category, item; billed, paid and remaining in sen.
Bill = tuple[str, str, str, str, int, int, int]

MAX_PERIOD, MAX_NAME = 64, 120
SEN_PER_RUPIAH = 100
_of_item = itemgetter("unit_name", *ITEM)
_of_summary = itemgetter(*SUMMARY)


def bill_rows(periods: Iterable[Mapping[str, Any]]) -> list[Bill]:
    """Return the bills of plain periods (`parser.plain`), in their order.

    A category without items, and a period without any bill, is one bill by its own summary.
    """
    found: list[Bill] = []
    for period in periods:
        before = len(found)
        head = (clean_name(str(period["period_id"]), MAX_PERIOD), _class(period["kelas_info"]))
        for category in period["categories"]:
            where = (*head, clean_name(category["category_name"]))
            if not category["items"]:
                found += _own(where, category["summary"])
            for item in category["items"]:
                name, billed, paid, rest = _of_item(item)
                found.append((*where, clean_name(name), sen(billed), sen(paid), _left(rest)))
        if len(found) == before:
            found += _own((*head, ""), period["summary"])
    return found


@lru_cache(maxsize=10_000)
def clean_name(text: str, length: int = MAX_NAME) -> str:
    """Return a name as it is stored and filtered by: printable, single blanks, so long at most."""
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or c.isspace())
    return " ".join(text.split())[:length].rstrip()


def sen(amount: Amount) -> int:
    """Return an amount in rupiah as whole sen."""
    if type(amount) is int:
        return amount * SEN_PER_RUPIAH
    return int((Decimal(amount) * SEN_PER_RUPIAH).to_integral_value(ROUND_HALF_EVEN))


def _left(rest: Amount) -> int:
    return sen(rest) if rest and not -HALF < rest < HALF else 0


def _own(where: tuple[str, str, str], summary: Mapping[str, Any]) -> list[Bill]:
    billed, paid, rest = _of_summary(summary)
    if all(-HALF < amount < HALF for amount in (billed, paid, rest)):
        return []
    return [(*where, "", sen(billed), sen(paid), _left(rest))]


def _class(kelas_info: Any) -> str:
    return clean_name(str(kelas_info)) if isinstance(kelas_info, str | int) else ""
