"""Helpers for tests of daily balances: a clock that the test sets, syncs, closed days."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from myukm.db import clock
from myukm.db.session import transaction
from myukm.domain.income import closing
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import results
from myukm.extensions import db
from myukm.models import DailyBalance, Siswa
from tests.support.income import FIGURES

JAKARTA = ZoneInfo("Asia/Jakarta")
Row = tuple[int, ...]


class Calendar:
    """The campus's clock, which the test sets."""

    now = datetime(2026, 9, 20, 5, tzinfo=UTC)

    def set(self, day: date, hour: int = 12, minute: int = 0) -> None:
        self.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=JAKARTA)


def sync(answers: dict[str, Any], *, dry_run: bool = False) -> None:
    """Store the payment API's answers: the periods of each student, by idperson."""
    items = []
    for idperson, periods in answers.items():
        account = {"idperson": idperson, "saldo": 0, "periods": periods}
        body = json.dumps({"data": [account]}).encode()
        items.append(Item(1, idperson, answer=parse(body, idperson)))
    with transaction() as session:
        results.take_in(session, None, items, dry_run=dry_run, guarded=False)


def create_students(units: dict[str, str]) -> None:
    """Create students; `units` has the unit of each by idperson."""
    with transaction() as session:
        session.add_all(Siswa(idperson=i, nama=i, unit_formal=unit) for i, unit in units.items())


def balances(day: date) -> dict[tuple[str, str], Row]:
    """Return the balances of a closed day, as `FIGURES`, by unit and category."""
    columns = [getattr(DailyBalance, name) for name in ("unit", "category", *FIGURES)]
    rows = db.session.execute(sa.select(*columns).where(DailyBalance.day == day.isoformat()))
    found = {(unit, category): tuple(row) for unit, category, *row in rows}
    db.session.rollback()
    return found


def close_all() -> None:
    """Close every day that has ended."""
    while closing.close_next(clock.now()):
        pass
