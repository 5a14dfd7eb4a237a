"""Payments of a student, as the payment API's `GET /payments/{idperson}` returns them."""

import random
from typing import Any

from devtools.sample.students import SCHOOL_YEAR, UNITS, Student

PERIODS = (2024, 2025, 2026)
MONTHS_BILLED = ("Juli", "Agustus", "September", "Oktober", "November")
GRADES = {unit.name: unit.grades for unit in UNITS}
# The monthly fee (SPP) of each unit, in rupiah.
SPP = {
    "SD Islam": 125_000,
    "MTs": 150_000,
    "SMP": 165_000,
    "MA": 185_000,
    "SMK": 210_000,
    "Institut": 325_000,
}

Item = dict[str, Any]
Category = tuple[str, list[Item]]
TRIP: Item = {"unit_name": "Jogja 2026", "amount_billed": 350_000, "amount_paid": 350_000}

SETTLED, BEHIND, NOTHING_PAID, OVERPAID, PAID_TWICE, WRONG_SUMMARY, NO_DATA = range(7)
# The shares of students with these habits, in the same order.
SHARES = (0.58, 0.31, 0.04, 0.02, 0.01, 0.01, 0.03)


def payments(student: Student, changes: int = 0, *, trip: bool = False) -> list[dict[str, Any]]:
    """Return the value of `data`: one account with its periods, or an empty list.

    `changes` is the number of later payments: each settles the oldest open item, or pays in
    advance if none is open. A negative number takes back that many of the last payments.
    `trip`: this year's bills have a study trip, which is paid.
    """
    rng = random.Random(f"pembayaran {student['idperson']}")
    habit = rng.choices(range(len(SHARES)), SHARES)[0]
    if habit == NO_DATA:
        return []
    bills = [(year, _bills(student, year, rng)) for year in _years(student)]
    items = [item for _, categories in bills for _, items in categories for item in items]
    _pay(items, habit, rng)
    for _ in range(changes):
        _pay_once_more(items)
    for _ in range(-changes):
        _take_back(items)
    if trip:
        bills[-1][1].append(("Studi Wisata", [TRIP]))
    as_text = rng.random() < 0.08
    account: dict[str, Any] = {
        "idperson": student["idperson"],
        "saldo": rng.choice((0, 0, 0, 25_000, 50_000, 120_000, 275_500)),
        "periods": [_period(student, year, categories) for year, categories in bills],
    }
    if habit == WRONG_SUMMARY:
        account["periods"][-1]["summary"] |= {"total_remaining": 0, "fully_paid": True}
    return [_amounts_as_text(account) if as_text else account]


def _years(student: Student) -> tuple[int, ...]:
    return PERIODS[-1 - min(_grade(student), len(PERIODS) - 1) :]


def _grade(student: Student) -> int:
    """Return the completed years in the student's school, 0 in the first year."""
    grades = GRADES[student["UnitFormal"]]
    return next(i for i, g in enumerate(grades) if student["KelasFormal"].startswith(f"{g} "))


def _bills(student: Student, year: int, rng: random.Random) -> list[Category]:
    fee = SPP[student["UnitFormal"]]
    unit = student["UnitFormal"]
    categories = [
        ("SPP", [_item(f"{unit} {when}", fee * months) for when, months in _instalments(year)]),
        ("Daftar Ulang", [_item(unit, 5 * fee)]),
        ("Kegiatan Siswa", [_item(unit, rng.choice((120_000, 150_000)))]),
    ]
    if year == _years(student)[0]:
        categories.append(("Seragam", [_item(unit, rng.choice((575_000, 640_000)))]))
    if student["AsramaPondok"]:
        pondok = [_item(f"Pondok {when}", 300_000 * months) for when, months in _instalments(year)]
        semesters = ("Uang Makan Ganjil", "Uang Makan Genap")[: 2 if year < SCHOOL_YEAR else 1]
        categories.append(("Syahriyah", pondok))
        categories.append(("Uang Makan", [_item(f"Dapur {name}", 2_250_000) for name in semesters]))
        categories.append(("Kitab", [_item("Madrasah Diniyah", rng.choice((180_000, 235_000)))]))
    return categories


def _instalments(year: int) -> list[tuple[str, int]]:
    """Return the due dates of a school year, each with the number of months that it covers: single
    months in this school year (those billed so far), half-years in earlier ones."""
    if year == SCHOOL_YEAR:
        return [(f"{month} {year}", 1) for month in MONTHS_BILLED]
    return [(f"Semester Ganjil {year}/{year + 1}", 6), (f"Semester Genap {year}/{year + 1}", 6)]


def _item(unit_name: str, billed: int) -> Item:
    return {"unit_name": unit_name, "amount_billed": billed, "amount_paid": 0}


def _pay(items: list[Item], habit: int, rng: random.Random) -> None:
    settled = len(items)
    if habit in (BEHIND, PAID_TWICE, WRONG_SUMMARY):
        settled = rng.randrange(len(items) // 2, len(items))
    if habit == NOTHING_PAID:
        settled = 0
    for item in items[:settled]:
        item["amount_paid"] = item["amount_billed"]
    if habit == BEHIND and rng.random() < 0.5:
        items[settled]["amount_paid"] = items[settled]["amount_billed"] // 2
    if habit == PAID_TWICE:
        items[0]["amount_paid"] *= 2
    if habit == OVERPAID:
        items[-1]["amount_paid"] += rng.choice((15_000, 50_000, 100_000))


def _pay_once_more(items: list[Item]) -> None:
    owed = (item for item in items if item["amount_paid"] < item["amount_billed"])
    if (item := next(owed, None)) is not None:
        item["amount_paid"] = item["amount_billed"]
    else:
        items[-1]["amount_paid"] += 50_000


def _take_back(items: list[Item]) -> None:
    paid = [item for item in items if item["amount_paid"] > 0]
    if paid:
        paid[-1]["amount_paid"] = 0


def _period(student: Student, year: int, categories: list[Category]) -> dict[str, Any]:
    grades = GRADES[student["UnitFormal"]]
    grade = grades[_grade(student) - (SCHOOL_YEAR - year)]
    items = [item for _, items in categories for item in items]
    return {
        "period_id": f"{year}{year + 1}",
        "kelas_info": f"{student['UnitFormal']} {grade}",
        "summary": _summary(items),
        "categories": [
            {"category_name": name, "summary": _summary(items), "items": _with_remaining(items)}
            for name, items in categories
        ],
    }


def _summary(items: list[Item]) -> dict[str, Any]:
    billed = sum(item["amount_billed"] for item in items)
    paid = sum(item["amount_paid"] for item in items)
    return {
        "total_billed": billed,
        "total_paid": paid,
        "total_remaining": billed - paid,
        "fully_paid": billed <= paid,
    }


def _with_remaining(items: list[Item]) -> list[Item]:
    return [
        item | {"remaining_balance": item["amount_billed"] - item["amount_paid"]} for item in items
    ]


def _amounts_as_text(value: Any) -> Any:
    """Return `value` with its amounts as strings, because some payment systems send strings."""
    if isinstance(value, dict):
        return {key: _amounts_as_text(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_amounts_as_text(part) for part in value]
    return str(value) if type(value) is int else value
