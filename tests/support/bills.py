"""Random payments, some with wrong figures, and a reference computation of what is owed.

The arithmetic is as plain as possible (fractions, one item after the other), because tests compare
the program's results with it.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

HALF = Fraction(1, 2)
SUMMARY = ("total_billed", "total_paid", "total_remaining")
ITEM = ("amount_billed", "amount_paid", "remaining_balance")
BILLED = (0, 75_000, 150_000, 350_000, 1_250_000, -50_000, 99_999.5, 9_999_999_999)
NOISE = (1e-10, -1e-10, 0.3, -0.49)


class Truth(NamedTuple):
    """The right figures and the right status of a student."""

    tunggakan: Fraction
    lebih_bayar: Fraction
    status: str
    tidak_cocok: bool

    @property
    def lunas(self) -> bool:
        return self.status == "lunas"


def random_students(seed: int, count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the periods of `count` students, always the same for a seed."""
    rng = random.Random(seed)
    for _ in range(count):
        yield [_period(rng, f"20{n}20{n + 1}") for n in range(20, 20 + rng.randrange(4))]


def truth(periods: list[dict[str, Any]]) -> Truth:
    """Return what a student with these periods owes, and whether the figures disagree."""
    left = [_number(item["remaining_balance"]) for period in periods for item in _items(period)]
    tunggakan = sum((rest for rest in left if rest >= HALF), Fraction(0))
    lebih_bayar = sum((-rest for rest in left if rest <= -HALF), Fraction(0))
    status = "tanpa_tagihan" if not left else "tunggakan" if tunggakan else "lunas"
    owed = (round(tunggakan, 2), round(lebih_bayar, 2))  # to the sen, as databases keep it
    return Truth(*owed, status, any(map(_disagrees, periods)))


def summary(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the right summary of these items."""
    sums = _sums(items)
    said = {name: _json_number(amount) for name, amount in sums.items()}
    return said | {"fully_paid": sums["total_remaining"] <= 0}


def _sums(items: list[dict[str, Any]]) -> dict[str, Fraction]:
    return {
        total: sum((_number(item[name]) for item in items), Fraction(0))
        for total, name in zip(SUMMARY, ITEM, strict=True)
    }


def _items(period: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a period's categories; without categories, the period as one item."""
    found = [item for category in period["categories"] for item in _items_of(category)]
    return found or _as_item(period)


def _items_of(category: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a category; without items, the category as one item."""
    return category["items"] or _as_item(category)


def _as_item(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a part's summary as one item; nothing if all amounts are below half a rupiah."""
    amounts = [_number(part["summary"][name]) for name in SUMMARY]
    if all(abs(amount) < HALF for amount in amounts):
        return []
    return [{"unit_name": "", **dict(zip(ITEM, amounts, strict=True))}]


def _disagrees(period: dict[str, Any]) -> bool:
    items = _items(period)
    parts = [(category, _items_of(category)) for category in period["categories"]]
    return any(map(_inconsistent, items)) or any(
        _contradicts(*part) for part in (*parts, (period, items))
    )


def _inconsistent(item: dict[str, Any]) -> bool:
    billed, paid, rest = (_number(item[name]) for name in ITEM)
    return abs(billed - paid - rest) >= HALF


def _contradicts(part: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    """Return whether a summary differs from its items, or `fully_paid` from both."""
    if not items:
        return False
    said, counted = part["summary"], _sums(items)
    if any(abs(_number(said[name]) - counted[name]) >= HALF for name in SUMMARY):
        return True
    owes = any(_number(item["remaining_balance"]) >= HALF for item in items)
    rest = _number(said["total_remaining"])
    return bool(said["fully_paid"]) not in {not owes, rest < HALF, rest <= 0}


def _number(amount: Any) -> Fraction:
    return Fraction(str(amount))


def _json_number(amount: Any) -> int | float:
    """Return an amount as JSON has it: an integer if it is one, otherwise a float."""
    return int(amount) if amount == int(amount) else float(amount)


def _period(rng: random.Random, period_id: str) -> dict[str, Any]:
    names = rng.sample(["SPP", "Seragam", "Kitab", "Uang Makan", "Kegiatan"], rng.randrange(5))
    categories = [_category(rng, name) for name in names]
    items = [item for category in categories for item in _items_of(category)]
    period = {"period_id": period_id, "kelas_info": "VII A", "categories": categories}
    own = summary(items if items or rng.random() < 0.5 else [_item(rng, "")])
    return _with_errors(rng, period | {"summary": own})


def _category(rng: random.Random, name: str) -> dict[str, Any]:
    items = [_item(rng, f"Bulan {n}") for n in range(rng.randrange(1, 5))]
    category = {"category_name": name, "summary": summary(items), "items": items}
    return _with_errors(rng, category | ({"items": []} if rng.random() < 0.1 else {}))


def _item(rng: random.Random, name: str) -> dict[str, Any]:
    billed = rng.choice(BILLED)
    paid = rng.choice([billed] * 4 + [0, billed / 2, billed + 15_000])
    rest = billed - paid
    if rng.random() < 0.05:
        rest += rng.choice([*NOISE, 25_000, -25_000])
    amounts: list[Any] = [_json_number(amount) for amount in (billed, paid, rest)]
    if rng.random() < 0.1:
        amounts = [f"{amount:.2f}" for amount in amounts]
    return {"unit_name": name, **dict(zip(ITEM, amounts, strict=True))}


def _with_errors(rng: random.Random, part: dict[str, Any]) -> dict[str, Any]:
    """Return the part, now and then with a wrong figure or float noise in its summary."""
    said = dict(part["summary"])
    if rng.random() < 0.03:
        said["fully_paid"] = not said["fully_paid"]
    if rng.random() < 0.05:
        name = rng.choice(SUMMARY)
        said[name] += rng.choice([*NOISE, 350_000, -350_000, 0.5])
    return part | {"summary": said}
