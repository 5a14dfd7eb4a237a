"""Each day is closed once, by any process at any time; late rows count on the next day."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.income import agreement, closing, output
from myukm.domain.income.agreement import Difference
from myukm.domain.income.report import report
from myukm.extensions import db
from myukm.models import ClosedDay, DailyBalance, PaymentJournal, Tagihan, VanishedBill
from myukm.ops.periodic_tasks import tasks
from myukm.ops.retention import PRUNERS
from tests.conftest import every_database
from tests.support.bills import summary
from tests.support.days import Calendar, balances, close_all, create_students, sync

MONDAY = date(2026, 11, 30)
Bill = tuple[str, int, int]


def sync_bills(*bills: Bill, period: str = "20262027", dry_run: bool = False) -> None:
    """Sync student 1 with these bills (category/item, billed, paid) as the API's answer."""
    categories: dict[str, list[dict[str, Any]]] = {}
    for name, billed, paid in bills:
        category, unit = name.split("/")
        amounts = {"amount_billed": billed, "amount_paid": paid, "remaining_balance": billed - paid}
        categories.setdefault(category, []).append({"unit_name": unit, **amounts})
    parts = [
        {"category_name": name, "summary": summary(items), "items": items}
        for name, items in categories.items()
    ]
    everything = [item for items in categories.values() for item in items]
    about = {"period_id": period, "kelas_info": "VII", "summary": summary(everything)}
    sync({"1": [about | {"categories": parts}]}, dry_run=dry_run)


def flows(day: date = MONDAY) -> dict[str, tuple[int, int, int]]:
    """Return what was received, corrected and lost on a day, in rupiah, by category."""
    columns = (PaymentJournal.received, PaymentJournal.corrected, PaymentJournal.lost)
    query = sa.select(PaymentJournal.category, *map(sa.func.sum, columns))
    query = query.where(PaymentJournal.day == day.isoformat()).group_by(PaymentJournal.category)
    found = {
        name: tuple(int(n) // 100 for n in three) for name, *three in db.session.execute(query)
    }
    db.session.rollback()
    return {name: three for name, three in found.items() if any(three)}  # type: ignore[misc]


@pytest.fixture
def campus(inside: Flask, calendar: Calendar) -> Flask:
    create_students({"1": "MTs"})
    calendar.set(MONDAY)
    return inside


@every_database
@pytest.mark.usefixtures("campus")
def test_only_later_payments_are_income() -> None:
    sync_bills(("SPP/Juli", 100, 40), ("Kitab/Fikih", 50, 50))
    assert flows() == {}, "an opening balance is no income"
    sync_bills(("SPP/Juli", 100, 100), ("Kitab/Fikih", 50, 50), dry_run=True)
    assert flows() == {}
    sync_bills(("SPP/Juli", 100, 100), ("Kitab/Fikih", 50, 45))
    assert flows() == {"SPP": (60, 0, 0), "Kitab": (0, 5, 0)}
    sync_bills(("SPP/Juli", 100, 100), ("SPP/Agustus", 100, 25), ("Kitab/Fikih", 50, 45))
    assert flows() == {"SPP": (85, 0, 0), "Kitab": (0, 5, 0)}


@every_database
@pytest.mark.usefixtures("campus")
def test_a_bill_that_vanishes_is_no_correction_and_no_income_when_it_is_back() -> None:
    sync_bills(("SPP/Juli", 100, 40), ("Kitab/Fikih", 50, 50))
    sync_bills(("SPP/Juli", 100, 40))
    assert flows() == {"Kitab": (0, 0, 50)}
    assert db.session.scalar(sa.select(VanishedBill.paid)) == 50_00
    sync_bills(("SPP/Juli", 100, 40), ("Kitab/Fikih", 60, 55))
    assert flows() == {"Kitab": (5, 0, 0)}
    assert db.session.scalar(sa.select(VanishedBill.paid)) is None


@every_database
@pytest.mark.usefixtures("campus")
def test_thousands_of_bills_may_vanish_and_come_back() -> None:
    many = [(f"Harian/{n}", 10, 10) for n in range(2_500)]
    sync_bills(*many)
    sync_bills(many[0])
    assert flows() == {"Harian": (0, 0, 24_990)}
    sync_bills(*many)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(VanishedBill)) == 0
    assert flows() == {}


@pytest.mark.usefixtures("campus")
def test_renaming_and_splitting_a_bill_is_no_income() -> None:
    sync_bills(("SPP/Juli", 100, 80))
    sync_bills(("SPP Bulanan/Juli 1", 50, 50), ("SPP Bulanan/Juli 2", 50, 45))
    assert flows() == {"SPP Bulanan": (15, 0, 0)}


@every_database
@pytest.mark.usefixtures("campus")
def test_a_bill_with_the_old_name_of_a_renamed_bill_takes_over_nothing() -> None:
    sync_bills(("SPP/Juli", 100, 80))
    sync_bills(("SPP/Juli 2026", 100, 80))
    sync_bills(("SPP/Juli 2026", 100, 80), ("SPP/Juli", 100, 0))
    assert flows() == {}


@pytest.mark.usefixtures("campus")
def test_a_bill_that_is_renamed_and_renamed_back_is_no_income() -> None:
    sync_bills(("SPP/Juli", 100, 80))
    sync_bills(("SPP/Juli 2026", 100, 50))
    assert flows() == {"SPP": (0, 0, 30)}
    assert db.session.scalar(sa.select(VanishedBill.paid)) == 30_00
    sync_bills(("SPP/Juli", 100, 90))
    assert flows() == {"SPP": (10, 0, 0)}
    assert db.session.scalar(sa.select(VanishedBill.paid)) is None


@every_database
@pytest.mark.usefixtures("campus")
def test_bills_of_one_name_that_change_places_are_no_income() -> None:
    sync_bills(("SPP/Juli", 100, 100), ("SPP/Juli", 100, 20))
    sync_bills(("SPP/Juli", 100, 20), ("SPP/Juli", 100, 100))
    assert flows() == {}
    sync_bills(("SPP/Juli", 100, 0), ("SPP/Juli", 100, 20), ("SPP/Juli", 100, 100))
    assert flows() == {}, "a new bill precedes the others"
    sync_bills(("SPP/Juli", 100, 0), ("SPP/Juli", 100, 50), ("SPP/Juli", 100, 100))
    assert flows() == {"SPP": (30, 0, 0)}


@pytest.mark.usefixtures("campus")
def test_a_new_period_takes_over_nothing_from_a_vanished_period() -> None:
    sync_bills(("Daftar Ulang/MTs", 500, 500), period="20252026")
    sync_bills(("Daftar Ulang/MTs", 500, 100), period="20262027")
    assert flows() == {"Daftar Ulang": (100, 0, 500)}


@every_database
def test_four_concurrent_threads_close_each_day_once(app: Flask, calendar: Calendar) -> None:
    calendar.set(MONDAY)
    with app.app_context():
        create_students({"1": "MTs"})
        close_all()
        sync_bills(("SPP/Juli", 100, 40))
        sync_bills(("SPP/Juli", 100, 60))
    calendar.set(MONDAY + timedelta(days=3), 0, 5)
    together = threading.Barrier(4, timeout=30)

    def close(_number: int) -> None:
        with app.app_context():
            together.wait()
            close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(close, range(4)))
    with app.app_context():
        days = db.session.scalars(sa.select(ClosedDay.day).order_by(ClosedDay.day)).all()
        assert days == ["2026-11-29", "2026-11-30", "2026-12-01", "2026-12-02"]
        assert balances(MONDAY) == {("MTs", "SPP"): (4000, 0, 6000, 2000, 0, 0)}
        for later in (1, 2):
            day = MONDAY + timedelta(days=later)
            assert balances(day) == {("MTs", "SPP"): (4000, 0, 6000, 0, 0, 0)}


@every_database
@pytest.mark.usefixtures("campus")
def test_a_row_that_commits_after_its_day_was_closed_counts_on_the_next_day(
    calendar: Calendar,
) -> None:
    close_all()
    calendar.set(MONDAY, 23, 59)
    sync_bills(("SPP/Juli", 100, 40))
    calendar.set(MONDAY + timedelta(days=1), 0, 2)
    close_all()
    calendar.set(MONDAY, 23, 59)  # this transaction began before midnight
    sync_bills(("SPP/Juli", 100, 60))
    for days in (1, 2):
        calendar.set(MONDAY + timedelta(days=days), 23, 59)
        assert output.as_json(report())["months"][-1]["owed"] == "40"
        calendar.set(MONDAY + timedelta(days=days + 1), 0, 2)
        close_all()
    assert balances(MONDAY)["MTs", "SPP"] == (6000, 0, 4000, 0, 0, 0)
    assert balances(MONDAY + timedelta(days=1))["MTs", "SPP"] == (4000, 0, 6000, 2000, 0, 0)
    assert balances(MONDAY + timedelta(days=2))["MTs", "SPP"] == (4000, 0, 6000, 0, 0, 0)


@every_database
@pytest.mark.usefixtures("campus")
def test_pruning_does_not_change_the_report(calendar: Calendar) -> None:
    close_all()
    sync_bills(("SPP/Juli", 100, 40))
    sync_bills(("SPP/Juli", 100, 60))
    assert closing.prune in PRUNERS
    calendar.set(MONDAY + timedelta(days=200))
    close_all()
    before = output.as_json(report())
    assert not closing.prune()
    assert db.session.scalar(sa.select(sa.func.count(PaymentJournal.id))) == 2
    calendar.set(MONDAY + timedelta(days=340))
    close_all()
    kept = output.as_json(report())
    with transaction() as session:
        session.execute(sa.update(PaymentJournal).values(day="2025-01-01"))
    assert not closing.prune()
    assert db.session.scalar(sa.select(sa.func.count(PaymentJournal.id))) == 0
    assert output.as_json(report()) == kept
    assert next(m for m in before["months"] if m["received"] != "0")["received"] == "20"


@pytest.mark.usefixtures("campus")
def test_the_leader_closes_days_by_itself(calendar: Calendar) -> None:
    close = next(
        t for t in tasks()[1] if getattr(t, "__self__", None).__class__.__name__ == "DayCloser"
    )
    for day, hour, minute, count in ((0, 12, 0, 1), (1, 0, 0, 1), (1, 0, 2, 2), (1, 12, 0, 2)):
        calendar.set(MONDAY + timedelta(days=day), hour, minute)
        close()
        close()
        assert db.session.scalar(sa.select(sa.func.count(ClosedDay.day))) == count
        db.session.rollback()


@every_database
@pytest.mark.usefixtures("campus")
def test_an_upgrade_opens_the_journal_with_the_sums_of_the_bills() -> None:
    sync_bills(("SPP/Juli", 100, 40), ("Kitab/Fikih", 50, 70))
    flask_migrate.downgrade(revision="0032")
    flask_migrate.upgrade()
    flask_migrate.upgrade()
    columns = [getattr(PaymentJournal, n) for n in ("unit", "category", "owed", "overpaid", "paid")]
    rows = sorted(map(tuple, db.session.execute(sa.select(*columns, PaymentJournal.received))))
    assert rows == [("MTs", "Kitab", 0, 2000, 7000, 0), ("MTs", "SPP", 6000, 0, 4000, 0)]


@every_database
@pytest.mark.usefixtures("campus")
def test_the_check_names_each_difference_of_journal_closed_days_and_bills(
    calendar: Calendar,
) -> None:
    close_all()
    sync_bills(("SPP/Juli", 100, 40), ("Kitab/Fikih", 50, 70))
    for day in (1, 2, 3):
        calendar.set(MONDAY + timedelta(days=day))
        close_all()
        sync_bills(("SPP/Juli", 100, 40 + day), ("Kitab/Fikih", 50, 70))
    assert agreement.check() == []
    tuesday = (MONDAY + timedelta(days=1)).isoformat()
    with transaction() as session:
        session.execute(
            sa.update(DailyBalance).where(DailyBalance.day == tuesday).values(received=0)
        )
        session.execute(sa.update(Tagihan).where(Tagihan.category == "Kitab").values(paid=6900))
    assert agreement.check() == [
        Difference(None, "MTs", "Kitab", "paid", 7000, 6900),
        Difference(tuesday, "MTs", "SPP", "received", 0, 100),
    ]
