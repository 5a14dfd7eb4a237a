"""What a student owes, by the items of their bills, and where the API's figures disagree.

`tunggakan` is what remains of unpaid items, `lebih_bayar` what was overpaid for others; the two are
never set off against each other. Items decide. A category without items, and a period without any
bill, count as one item by their own summary, because nothing else says what is owed. Other sums,
and the flags, are only compared with the items.

Periods are in the plain form (`plain_form`), amounts in rupiah.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from myukm.domain.payment_api.plain_form import SUMMARY, Amount, Category, Item, Period, Summary
from myukm.models.siswa import Verdict

SEN = Decimal("0.01")
# A remainder or difference below half a rupiah is a rounding error of floats.
HALF_RUPIAH = 0.5

Where = tuple[str, ...]
# The fields of `Sums` as a plain tuple, which is faster.
Added = tuple[Amount, Amount, Amount, Amount, Amount, int]
NOTHING: Added = (0, 0, 0, 0, 0, 0)


class Sums(NamedTuple):
    """Sums over items, the first three in the order of `SUMMARY`; `bills` counts the items."""

    billed: Amount
    paid: Amount
    remaining: Amount
    tunggakan: Amount
    lebih_bayar: Amount
    bills: int


class Disagreement(NamedTuple):
    """A figure of the API that disagrees with its other figures.

    `where` is the period, then category and item if the figure belongs to one. `stated` is the
    figure itself, `counted` the value that follows from the other figures. For the flag
    `fully_paid`, `stated` is 0 or 1 and `counted` the amount owed.
    """

    where: Where
    field: str
    stated: Amount
    counted: Amount


class CountedPeriod(NamedTuple):
    """Our sums over a period, and the API's figures that disagree."""

    sums: Sums
    disagreements: list[Disagreement]

    @property
    def status(self) -> Verdict:
        return verdict(self.sums.bills, self.sums.tunggakan)


class Owed(NamedTuple):
    """What a student owes; `tidak_cocok`: some figures disagree."""

    tunggakan: Decimal
    lebih_bayar: Decimal
    status: Verdict
    tidak_cocok: bool

    @property
    def lunas(self) -> bool:
        """Whether there are bills and none of them has anything left to pay."""
        return self.status is Verdict.LUNAS


def verdict(bills: int, tunggakan: Amount) -> Verdict:
    """Return the verdict on bills of which `tunggakan` is unpaid."""
    if not bills:
        return Verdict.TANPA_TAGIHAN
    return Verdict.TUNGGAKAN if tunggakan else Verdict.LUNAS


def owed(periods: Iterable[Period[Any]]) -> Owed:
    """Return what a student owes over all periods."""
    counted = [count_period(period) for period in periods]
    sums = Sums(*_added([period.sums for period in counted]))
    return Owed(
        _money(sums.tunggakan),
        _money(sums.lebih_bayar),
        verdict(sums.bills, sums.tunggakan),
        any(period.disagreements for period in counted),
    )


def count_period(period: Period[Any]) -> CountedPeriod:
    """Return a period's sums and disagreements."""
    found: list[Disagreement] = []
    where, summary = (period.period_id,), period.summary
    sums = _added([_category(where, part, found) for part in period.categories])
    if sums == NOTHING:
        sums = _count_summary(where, summary, found)
    else:
        _compare(where, summary, sums, found)
    return CountedPeriod(Sums(*sums), found)


def _category(where: Where, category: Category[Any], found: list[Disagreement]) -> Added:
    where, summary = (*where, category.category_name), category.summary
    if not category.items:
        return _count_summary(where, summary, found)
    sums = _items(where, category.items, found)
    _compare(where, summary, sums, found)
    return sums


def _items(where: Where, items: Sequence[Item[Any]], found: list[Disagreement]) -> Added:
    """Add items up, in plain loops and tuples because this runs for every answer."""
    billed: Amount = 0
    paid = remaining = tunggakan = lebih_bayar = billed
    for item in items:
        due, done, rest = item.amount_billed, item.amount_paid, item.remaining_balance
        billed += due
        paid += done
        if rest:
            remaining += rest
            tunggakan += _unpaid(rest)
            lebih_bayar += _unpaid(-rest)
        if due - done != rest and not _is_rounding(due - done - rest):
            at = (*where, item.unit_name)
            found.append(Disagreement(at, "remaining_balance", rest, due - done))
    return billed, paid, remaining, tunggakan, lebih_bayar, len(items)


def _count_summary(where: Where, summary: Summary[Any], found: list[Disagreement]) -> Added:
    """Count a summary as one item, or as no item if all its amounts are 0."""
    billed, paid, rest = summary.total_billed, summary.total_paid, summary.total_remaining
    if _is_rounding(billed) and _is_rounding(paid) and _is_rounding(rest):
        return NOTHING
    owing = _unpaid(rest), _unpaid(-rest), 1
    _compare(where, summary, (billed, paid, billed - paid, *owing), found)
    return billed, paid, rest, *owing


def _compare(where: Where, summary: Summary[Any], sums: Added, found: list[Disagreement]) -> None:
    """Append the figures of a summary that disagree with `sums`.

    `fully_paid` may follow the items or the summary's own remainder, because many systems set
    overpayment off.
    """
    amounts = summary.total_billed, summary.total_paid, summary.total_remaining
    flag, rest, tunggakan = summary.fully_paid, summary.total_remaining, sums[3]
    if amounts == sums[:3] and flag == (not tunggakan):
        return
    for name, stated, counted in zip(SUMMARY, amounts, sums, strict=False):
        if not _is_rounding(stated - counted):
            found.append(Disagreement(where, name, stated, counted))
    if flag == (tunggakan > 0) and flag not in (rest < HALF_RUPIAH, rest <= 0):
        found.append(Disagreement(where, "fully_paid", int(flag), tunggakan))


def _added(parts: Sequence[Added]) -> Added:
    """Add the sums up field by field."""
    billed, paid, remaining, tunggakan, lebih_bayar, bills = NOTHING
    for more in parts:
        billed += more[0]
        paid += more[1]
        remaining += more[2]
        tunggakan += more[3]
        lebih_bayar += more[4]
        bills += more[5]
    return billed, paid, remaining, tunggakan, lebih_bayar, bills


def _unpaid(rest: Amount) -> Amount:
    return rest if rest >= HALF_RUPIAH else 0


def _is_rounding(amount: Amount) -> bool:
    return -HALF_RUPIAH < amount < HALF_RUPIAH


def _money(amount: Amount) -> Decimal:
    return Decimal(amount).quantize(SEN)
