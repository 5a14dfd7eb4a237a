"""The report of received payments equals a brute-force sum over every answer, on every database."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from myukm.domain.income import output
from myukm.domain.income.report import months_until, report
from myukm.domain.payment_api.bill_rows import rupiah
from myukm.domain.roster import importing
from myukm.extensions import db
from myukm.models import PaymentJournal
from tests.conftest import every_database
from tests.support import bills, income
from tests.support.days import Calendar, Row, balances, close_all, create_students, sync
from tests.support.income import FIGURES, Ledger

UNITS = ("MTs", "mts", "MA", "")
COUNT, DAYS = 25, 70
FIRST = date(2026, 9, 20)


class Campus:
    """Random students. Each answer is synced by the program and added to the brute-force ledger."""

    def __init__(self, rng: random.Random, move: Callable[[str, str], None]) -> None:
        self.rng, self.ledger, self._move = rng, Ledger(), move
        students = bills.random_students(rng.randrange(10**6), COUNT)
        self.current = {f"{n:03}": periods for n, periods in enumerate(students)}
        self.history = {one: [periods] for one, periods in self.current.items()}
        self.ledger.units = {one: rng.choice(UNITS) for one in self.current}
        create_students(self.ledger.units)

    def play_day(self, day: date) -> None:
        """Change the bills of six students, sync twelve, and perhaps move one to another unit."""
        rng = self.rng
        for one in rng.sample(sorted(self.current), 6):
            new = income.changed(rng, self.current[one])
            self.current[one] = rng.choice(self.history[one]) if rng.random() < 0.15 else new
            self.history[one].append(self.current[one])
        synced = rng.sample(sorted(self.current), 12)
        sync({one: self.current[one] for one in synced})
        for one in synced:
            self.ledger.answer(day.isoformat(), one, self.current[one])
        if rng.random() < 0.3:
            one, unit = rng.choice(synced), rng.choice(UNITS)
            self._move(one, unit)
            self.ledger.units[one] = unit


@pytest.fixture
def move(tmp_path: Path) -> Callable[[str, str], None]:
    """`move("001", "MA")` imports the student with that unit."""

    def import_(one: str, unit: str) -> None:
        path = tmp_path / "moved.csv"
        path.write_text(f"idperson,nama,UnitFormal\n{one},{one},{unit}\n")
        importing.from_file(path)

    return import_


@every_database
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("inside")
def test_the_balances_of_every_day_equal_brute_force(
    calendar: Calendar, move: Callable[[str, str], None], seed: int
) -> None:
    rng = random.Random(seed)
    calendar.set(FIRST)
    close_all()
    campus = Campus(rng, move)
    expected = {}
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        calendar.set(day, *rng.choice([(0, 0), (0, 1), (12, 0), (23, 59)]))
        if number % 4 == 0:
            close_all()  # on other days no process runs at midnight
        if rng.random() < 0.7:
            campus.play_day(day)
        expected[day] = campus.ledger.closing(day.isoformat())
    check_report(campus.ledger, FIRST + timedelta(days=DAYS - 1))
    calendar.set(FIRST + timedelta(days=DAYS), 0, 5)
    close_all()
    for day, rows in expected.items():
        assert balances(day) == rows, day
    assert sum(len(rows) for rows in expected.values()) > 1000
    check_rebuilt(expected)


def check_rebuilt(expected: dict[date, dict[tuple[str, str], Row]]) -> None:
    """Assert that each day's balances are the journal's running totals, and each day's changes the
    journal's sums of that day."""
    sums: dict[tuple[str, str], list[int]] = {}
    columns = [getattr(PaymentJournal, name) for name in ("day", "unit", "category", *FIGURES)]
    rows = db.session.execute(sa.select(*columns).where(PaymentJournal.closed)).all()
    for day, found in expected.items():
        flows: dict[tuple[str, str], list[int]] = {}
        for row_day, unit, category, *figures in rows:
            if row_day == day.isoformat():
                total = sums.setdefault((unit, category), [0, 0, 0])
                total[:] = (a + b for a, b in zip(total, figures[:3], strict=True))
                flow = flows.setdefault((unit, category), [0, 0, 0])
                flow[:] = (a + b for a, b in zip(flow, figures[3:], strict=True))
        rebuilt = {at: (*total, *flows.get(at, (0, 0, 0))) for at, total in sums.items()}
        assert {at: row for at, row in rebuilt.items() if any(row)} == found, day


def check_report(ledger: Ledger, today: date) -> None:
    """Assert that the figures of the report are the sums of the ledger's days."""
    db.session.rollback()
    shown = output.as_json(report())
    flows = ledger.flows

    def total(first: date, last: date, at: int = 0, key: str | None = None) -> dict[str, str]:
        found = dict.fromkeys(("received", "corrected", "lost"), 0)
        for day, figures in flows.items():
            for where, sums in figures.items():
                if first.isoformat() <= day <= last.isoformat() and key in (None, where[at]):
                    found = {name: found[name] + sums[name] for name in found}
        texts = {name: rupiah(amount) for name, amount in found.items()}
        return texts | {"net": rupiah(found["received"] - found["corrected"])}

    for name in ("today", "day_before", "week", "week_before", "month", "month_before"):
        span = shown[name]
        bounds = (date.fromisoformat(span.pop("from")), date.fromisoformat(span.pop("to")))
        assert span == total(*bounds), name
    for month, first in zip(shown["months"], months_until(today), strict=True):
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        figures = {name: month[name] for name in ("received", "corrected", "lost", "net")}
        assert figures == total(first, last), first
    assert shown["months"][-1]["owed"] == rupiah(
        sum(sums["owed"] for sums in ledger.balances().values())
    )
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    for at, name in enumerate(("units", "categories")):
        assert shown[name]
        for part in shown[name]:
            assert part.pop("before") == total(before, first - timedelta(days=1), at, part["key"])
            assert total(first, today, at, part.pop("key")) == part
