"""Creates the past of the demo's campus: synced students, lost payments, a year of receipts."""

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
MIN_PAID = 5_000_000 * RUPIAH  # less paid in a category: no receipts before today
PAID_TODAY = 40  # students who paid today
LOST = 2  # students who lost a bill today, and as many who lost a payment
NEW_SCHOOL_YEAR = (6, 7)


def load_history(session: Session, synced: Sequence[Student]) -> None:
    """Store the payments of these students as if a run had synced them, some of them again today.

    The students must be in the database.
    """
    now = {student["idperson"]: payments(student) for student in synced}
    without_last = {student["idperson"]: payments(student, -1) for student in synced}
    # Not all students have bills, and not all of those have paid one.
    payers = [s for s in synced if without_last[s["idperson"]] != now[s["idperson"]]]
    paid, lost_bill, lost_payment = _split(payers)
    before = now | {s["idperson"]: without_last[s["idperson"]] for s in paid}
    before |= {s["idperson"]: payments(s, trip=True) for s in lost_bill}
    before |= {s["idperson"]: payments(s, 1) for s in lost_payment}
    rows = session.execute(select(Siswa.idperson, Siswa.id).where(Siswa.idperson.in_(before)))
    results.store(session, {row.id: _parsed(row.idperson, before[row.idperson]) for row in rows})
    _make_year(session)
    changed = [s["idperson"] for s in (*paid, *lost_bill, *lost_payment)]
    items = [Item(0, idperson, answer=_parsed(idperson, now[idperson])) for idperson in changed]
    results.take_in(session, None, items, guarded=False)


def _split(payers: Sequence[Student]) -> tuple[Sequence[Student], ...]:
    ends = (PAID_TODAY, PAID_TODAY + LOST, PAID_TODAY + 2 * LOST)
    return payers[: ends[0]], payers[ends[0] : ends[1]], payers[ends[1] : ends[2]]


def _parsed(idperson: str, data: list[dict[str, Any]]) -> Payments:
    return parse(decimal_json.dumps({"data": data}).encode(), idperson)


def _make_year(session: Session) -> None:
    """Replace the opening balances in the journal by a year of daily balances up to them."""
    columns = [getattr(PaymentJournal, name) for name in Amounts._fields[:3]]
    query = select(PaymentJournal.unit, PaymentJournal.category, *map(func.sum, columns))
    rows = session.execute(query.group_by(PaymentJournal.unit, PaymentJournal.category)).all()
    today = date.fromisoformat(journal.today())
    days = [today - timedelta(days=n) for n in range(1, DAYS)]
    rng = random.Random("penerimaan")
    balances = [
        balance
        for unit, category, *three in rows
        for balance in _past_balances(rng, days, unit, category, [int(one) for one in three])
    ]
    session.execute(delete(PaymentJournal))
    if balances:
        session.execute(insert(DailyBalance.__table__), balances)  # type: ignore[arg-type]
    session.execute(insert(ClosedDay), [{"day": day.isoformat()} for day in days])


def _past_balances(
    rng: random.Random, days: Iterable[date], unit: str, category: str, end: list[int]
) -> Iterable[dict[str, Any]]:
    """Yield balances of a unit and category on these days, newest first; the newest is `end`."""
    owed, overpaid, paid = end
    usual = paid // (2 * DAYS) if paid > MIN_PAID else 0
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
    """Return a day's factor of receipts: 0 on Sundays, high early in months and school years."""
    if day.weekday() == 6:
        return 0
    return (2 if day.day <= 10 else 0.5) * (1.8 if day.month in NEW_SCHOOL_YEAR else 1)


def _rounded(sen: float) -> int:
    """Round an amount to whole thousands of rupiah."""
    return round(sen / (1000 * RUPIAH)) * 1000 * RUPIAH
