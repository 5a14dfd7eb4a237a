"""What the demo's campus went through before today: synced students, losses, a year of receipts."""

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from devtools.sample import Student, payments
from myukm.db import json as decimal_json
from myukm.domain.income import journal
from myukm.domain.income.movements import Amounts
from myukm.domain.payment_api.parser import Payments, parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import results
from myukm.models import ClosedDay, DailyBalance, PaymentJournal, Siswa

DAYS = 370
RUPIAH = 100  # sen
FEW = 5_000_000 * RUPIAH  # a category that only a few have paid: its past is empty
# How many synced students paid today, and of how many a bill vanished or less is paid.
PAID_TODAY, LOST = 40, 2
NEW_SCHOOL_YEAR = (6, 7)
Keys = dict[str, int]


def load_history(session: Session, known: Sequence[Student]) -> None:
    """Let these students, who are in the database, have been synced before, some also today."""
    names = [student["idperson"] for student in known]
    ids = session.execute(select(Siswa.idperson, Siswa.id).where(Siswa.idperson.in_(names)))
    keys: Keys = {row.idperson: row.id for row in ids}
    now = {student["idperson"]: payments(student) for student in known}
    billed = [student for student in known if now[student["idperson"]]]
    paid, vanished, less = _split(billed)
    first = now | {s["idperson"]: payments(s, -1) for s in paid}
    first |= {s["idperson"]: payments(s, trip=True) for s in vanished}
    first |= {s["idperson"]: payments(s, 1) for s in less}
    results.store(session, {keys[one]: _parsed(one, data) for one, data in first.items()})
    _make_year(session)
    changed = [s["idperson"] for s in (*paid, *vanished, *less)]
    items = [Item(0, one, answer=_parsed(one, now[one])) for one in changed]
    results.take_in(session, None, items, guarded=False)


def _split(billed: Sequence[Student]) -> tuple[Sequence[Student], ...]:
    ends = (PAID_TODAY, PAID_TODAY + LOST, PAID_TODAY + 2 * LOST)
    return billed[: ends[0]], billed[ends[0] : ends[1]], billed[ends[1] : ends[2]]


def _parsed(idperson: str, data: list[dict[str, Any]]) -> Payments:
    return parse(decimal_json.dumps({"data": data}).encode(), idperson)


def _make_year(session: Session) -> None:
    """Replace the opening balances of today by a year that ends in them."""
    columns = [getattr(PaymentJournal, name) for name in Amounts._fields[:3]]
    query = select(PaymentJournal.unit, PaymentJournal.category, *map(func.sum, columns))
    rows = session.execute(query.group_by(PaymentJournal.unit, PaymentJournal.category)).all()
    today = date.fromisoformat(journal.today())
    days = [today - timedelta(days=n) for n in range(1, DAYS)]
    rng = random.Random("penerimaan")
    balances = [
        balance
        for unit, category, *three in rows
        for balance in _backwards(rng, days, unit, category, [int(one) for one in three])
    ]
    session.execute(delete(PaymentJournal))
    if balances:
        session.execute(insert(DailyBalance.__table__), balances)  # type: ignore[arg-type]
    session.execute(insert(ClosedDay), [{"day": day.isoformat()} for day in days])


def _backwards(
    rng: random.Random, days: Iterable[date], unit: str, category: str, end: list[int]
) -> Iterable[dict[str, Any]]:
    """Yield the balances of a unit and category on these days, newest first, from the `end`."""
    owed, overpaid, paid = end
    usual = paid // (2 * DAYS) if paid > FEW else 0
    for day in days:
        received = _rounded(usual * _season(day) * rng.random() * 2)
        corrected = _rounded(received * rng.random() / 4) if rng.random() < 0.02 else 0
        amounts = (owed, overpaid, paid, received, corrected, 0)
        where = {"day": day.isoformat(), "unit": unit, "category": category}
        yield where | dict(zip(Amounts._fields, amounts, strict=True))
        paid += corrected - received
        owed += received - corrected
        if day.day == 1:
            owed -= min(owed, _rounded(usual * 30 * rng.uniform(0.9, 1.2)))


def _season(day: date) -> float:
    """How much more than usual is paid: early in a month, when a school year begins, no Sundays."""
    if day.weekday() == 6:
        return 0
    return (2 if day.day <= 10 else 0.5) * (1.8 if day.month in NEW_SCHOOL_YEAR else 1)


def _rounded(sen: float) -> int:
    """Return an amount in whole thousands of rupiah."""
    return round(sen / (1000 * RUPIAH)) * 1000 * RUPIAH
