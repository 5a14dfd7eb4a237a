"""A reference computation of who owes what, student by student from the stored JSON.

The arithmetic is as plain as possible, because tests compare the program's totals, groups and
filters with it.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from myukm.models import Siswa
from tests.support.bills import HALF, SUMMARY

COLUMNS = {
    "unit": "unit_formal",
    "kelas": "kelas_formal",
    "asrama": "asrama_pondok",
    "kamar": "kamar_pondok",
    "diniyah": "tingkat_diniyah",
}
Query = dict[str, Any]


class Bill(NamedTuple):
    period: str
    category: str
    remaining: Fraction


class Owes(NamedTuple):
    """A student and their bills that match the filters."""

    student: Siswa
    bills: list[Bill]

    @property
    def tunggakan(self) -> Fraction:
        return sum((bill.remaining for bill in self.bills if bill.remaining > 0), Fraction(0))

    @property
    def lebih_bayar(self) -> Fraction:
        return sum((-bill.remaining for bill in self.bills if bill.remaining < 0), Fraction(0))

    @property
    def lunas(self) -> bool:
        return bool(self.bills) and not self.tunggakan


def matching(students: list[Siswa], failed: set[str], query: Query) -> list[Owes]:
    """Return the students that match a query, given those who failed in the last run."""
    found = [Owes(one, [b for b in bills(one) if _wanted(b, query)]) for one in students]
    return [one for one in found if _matches(one, failed, query)]


def answer(students: list[Siswa], failed: set[str], query: Query) -> dict[str, Any]:
    """Return `total` and `groups` as the JSON has them, groups by key."""
    found = matching(students, failed, query)
    keys: dict[str, list[Owes]] = {}
    for one in found:
        for key, bills_ in _keys(one, query.get("group")):
            keys.setdefault(key, []).append(Owes(one.student, bills_))
    return {"total": _sums(found), "groups": {key: _sums(owing) for key, owing in keys.items()}}


def bills(student: Siswa) -> Iterator[Bill]:
    """Yield every bill of the stored payments. A category or period without items counts as one
    bill, with the amounts of its summary."""
    for period in student.pembayaran or []:
        name, found = str(period["period_id"]).strip(), False
        for category in period["categories"]:
            for amount in _remaining(category, category["items"]):
                found = True
                yield Bill(name, category["category_name"], amount)
        if not found:
            for amount in _remaining(period, []):
                yield Bill(name, "", amount)


def _remaining(period_or_category: dict[str, Any], items: list[dict[str, Any]]) -> list[Fraction]:
    """Return the remaining amounts. Below half a rupiah an amount is rounding noise, and zero."""
    summary = [Fraction(str(period_or_category["summary"][name])) for name in SUMMARY]
    remaining = [Fraction(str(item["remaining_balance"])) for item in items]
    if not items and any(abs(amount) >= HALF for amount in summary):
        remaining = [summary[-1]]
    return [round(amount, 2) if abs(amount) >= HALF else Fraction(0) for amount in remaining]


def _wanted(bill: Bill, query: Query) -> bool:
    periods, categories = query.get("period"), query.get("category")
    return (not periods or bill.period in periods) and (
        not categories or bill.category in categories
    )


def _matches(one: Owes, failed: set[str], query: Query) -> bool:
    student = one.student
    searched_text = f"{student.nama} {student.idperson}".lower()
    return (
        all(
            not query.get(name) or getattr(student, column) in query[name]
            for name, column in COLUMNS.items()
        )
        and one.tunggakan >= Fraction(query.get("min", 0))
        and one.tunggakan <= Fraction(query.get("max", 10**15))
        and (not query.get("status") or any(_has(one, s, failed) for s in query["status"]))
        and all(word in searched_text for word in query.get("q", "").split())
    )


def _has(one: Owes, status: str, failed: set[str]) -> bool:
    synced = one.student.pembayaran is not None
    return {
        "tunggakan": one.tunggakan > 0,
        "lunas": one.lunas,
        "lebih_bayar": one.lebih_bayar > 0,
        "tanpa_tagihan": synced and not one.bills,
        "belum_sinkron": not synced,
        "gagal": one.student.idperson in failed,
        "tidak_cocok": one.student.tidak_cocok,
        "dibayar_turun": False,  # nobody was synced twice
        "tagihan_hilang": False,
    }[status]


def _keys(one: Owes, group: str | None) -> Iterator[tuple[str, list[Bill]]]:
    if group in COLUMNS:
        yield getattr(one.student, COLUMNS[group]), one.bills
    elif group:
        for key in {getattr(bill, group) for bill in one.bills}:
            yield key, [bill for bill in one.bills if getattr(bill, group) == key]


def _sums(found: list[Owes]) -> dict[str, Any]:
    owed = sum((one.tunggakan for one in found), Fraction(0))
    overpaid = sum((one.lebih_bayar for one in found), Fraction(0))
    names = ("tunggakan", "lebih_bayar", "bersih")
    amounts = (owed, overpaid, owed - overpaid)
    return {"siswa": len(found), **dict(zip(names, map(_digits, amounts), strict=True))}


def _digits(amount: Fraction) -> str:
    exact = Decimal(amount.numerator) / amount.denominator
    return str(int(exact)) if exact == int(exact) else f"{exact:.2f}"
