"""Detects answers that lower a student's amounts a lot, and decides whether to believe them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.parser import amount
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import anomaly_guard
from myukm.sentences import lazy_decimal

# An answer is suspicious if less than this share of what was billed or paid is left.
DROP_THRESHOLD = Decimal("0.5")


class Totals(NamedTuple):
    """Amounts billed and paid over all periods, in rupiah."""

    billed: Decimal
    paid: Decimal


def guard(items: Iterable[Item]) -> None:
    """Quarantine items whose new data lowers the student's amounts a lot.

    A second answer equal to the first is believed; two contradicting answers fail the student.
    """
    for item in items:
        text = _describe_drop(item)
        if text is None or text == item.doubt:
            continue
        item.new = None
        item.code, item.message = anomaly_guard.CODE, text
        if item.doubt is not None:
            item.code = "contradictory"
            item.message = _("API pembayaran menjawab dua kali berbeda: %(text)s", text=text)


def _describe_drop(item: Item) -> LazyString | None:
    """Describe how much lower a student's new amounts are; None if they are not suspiciously low.

    Compares both items and sums, because the API reports some bills in the sums only.
    """
    if item.new is None or item.old is None:
        return None
    had, has = item.old.pembayaran, item.new.periods
    pairs = [(totals(had, by_items), totals(has, by_items)) for by_items in (True, False)]
    fallen = [(old, now) for old, now in pairs if _falls(old, now)]
    return _text(*(fallen or pairs)[0]) if fallen or (had and not has) else None


def totals(periods: Any, by_items: bool) -> Totals:
    """Return a student's totals over all periods, by the items or by the periods' own sums.

    Malformed parts count as nothing.
    """
    if by_items:
        parts, names = _items(periods), ("amount_billed", "amount_paid")
    else:
        summaries = (_part(period, "summary") for period in _list(periods))
        parts, names = summaries, ("total_billed", "total_paid")
    known = list(parts)
    return Totals(*(sum((_number(part, name) for part in known), Decimal(0)) for name in names))


def _falls(old: Totals, now: Totals) -> bool:
    return any(o > 0 and n < DROP_THRESHOLD * o for o, n in zip(old, now, strict=True))


def _items(periods: Any) -> Iterator[Any]:
    for period in _list(periods):
        for category in _list(_part(period, "categories")):
            yield from _list(_part(category, "items"))


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _number(part: Any, name: str) -> Decimal:
    try:
        return Decimal(amount(_part(part, name)))
    except InvalidBody:
        return Decimal(0)


def _text(old: Totals, now: Totals) -> LazyString:
    numbers = {
        "billed": lazy_decimal(old.billed),
        "paid": lazy_decimal(old.paid),
        "billed_now": lazy_decimal(now.billed),
        "paid_now": lazy_decimal(now.paid),
    }
    return _(
        "tagihan Rp %(billed)s menjadi Rp %(billed_now)s, "
        "dibayar Rp %(paid)s menjadi Rp %(paid_now)s",
        **numbers,
    )
