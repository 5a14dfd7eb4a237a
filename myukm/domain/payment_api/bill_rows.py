"""A student's bills as flat rows, in whole sen (1/100 rupiah); `owed` defines what one bill is."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from myukm.domain.payment_api.owed import HALF_RUPIAH
from myukm.domain.payment_api.plain_form import Amount, Item, Period, Summary

# Period, class, category, item; billed, paid and remaining in sen.
Bill = tuple[str, str, str, str, int, int, int]
Where = tuple[str, str, str]

MAX_PERIOD, MAX_NAME = 64, 120  # characters
SEN_PER_RUPIAH = 100


def bill_rows(periods: Iterable[Period[Any]]) -> list[Bill]:
    """Return the bills of periods in the plain form, in their order.

    A category without items, and a period without any bill, is one bill by its own summary.
    """
    found: list[Bill] = []
    for period in periods:
        before = len(found)
        head = (clean_name(period.period_id, MAX_PERIOD), _class(period.kelas_info))
        for category in period.categories:
            where = (*head, clean_name(category.category_name))
            if items := category.items:
                _append_items(found, where, items)
            else:
                found += _summary_bill(where, category.summary)
        if len(found) == before:
            found += _summary_bill((*head, ""), period.summary)
    return found


def _append_items(found: list[Bill], where: Where, items: Iterable[Item[Any]]) -> None:
    """Append a category's items. Whole rupiah are converted without `sen`, which is faster, because
    this runs for every answer."""
    period, kelas, category = where
    for item in items:
        due, done, rest = item.amount_billed, item.amount_paid, item.remaining_balance
        if type(due) is type(done) is type(rest) is int:
            amounts = due * SEN_PER_RUPIAH, done * SEN_PER_RUPIAH, rest * SEN_PER_RUPIAH
        else:
            amounts = sen(due), sen(done), _remaining(rest)
        found.append((period, kelas, category, clean_name(item.unit_name), *amounts))


@lru_cache(maxsize=10_000)
def clean_name(text: str, length: int = MAX_NAME) -> str:
    """Return a name as it is stored and filtered by: printable characters, single blanks, at most
    `length` characters."""
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or c.isspace())
    return " ".join(text.split())[:length].rstrip()


def sen(amount: Amount) -> int:
    """Return an amount in rupiah as whole sen."""
    if type(amount) is int:
        return amount * SEN_PER_RUPIAH
    return int((Decimal(amount) * SEN_PER_RUPIAH).to_integral_value(ROUND_HALF_EVEN))


def rupiah(amount: int) -> str:
    """Return an amount in sen as decimal digits in rupiah, exactly: 350000, or 350000.50."""
    whole, rest = divmod(abs(amount), SEN_PER_RUPIAH)
    return ("-" if amount < 0 else "") + (f"{whole}.{rest:02}" if rest else str(whole))


def _remaining(rest: Amount) -> int:
    return sen(rest) if rest and not -HALF_RUPIAH < rest < HALF_RUPIAH else 0


def _summary_bill(where: Where, summary: Summary[Any]) -> list[Bill]:
    billed, paid, rest = summary.total_billed, summary.total_paid, summary.total_remaining
    if all(-HALF_RUPIAH < amount < HALF_RUPIAH for amount in (billed, paid, rest)):
        return []
    return [(*where, "", sen(billed), sen(paid), _remaining(rest))]


def _class(kelas_info: Any) -> str:
    return clean_name(str(kelas_info)) if isinstance(kelas_info, str | int) else ""
