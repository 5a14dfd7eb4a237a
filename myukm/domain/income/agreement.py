"""Checks that the journal and the closed days agree with the bills, and with each other.

The change history (`payment_change`) is not compared, because it is pruned and contains texts of
single fields, which cannot be added up.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Select, func, select, union_all

from myukm.db.session import snapshot
from myukm.db.timeouts import lift_time_limits
from myukm.db.types import utcnow
from myukm.domain.income.closing import BALANCES, day_of, sums_of
from myukm.domain.income.movements import Amounts
from myukm.extensions import db
from myukm.models import ClosedDay, DailyBalance, PaymentJournal, Siswa, Tagihan
from myukm.models.tagihan import OVERPAID, OWED

Rows = dict[tuple[str, str], tuple[int, ...]]


class Difference(NamedTuple):
    """An amount (`field`) of a unit and category that is stored as `written` but adds up to
    `counted`, in sen. `day` is the closed day, or None for the balance of now."""

    day: str | None
    unit: str
    category: str
    field: str
    written: int
    counted: int


def check() -> list[Difference]:
    """Return the differences between the journal and the bills now, and between each closed day and
    the day before plus its journal, as far as the journal is stored. Reads one snapshot."""
    with snapshot() as session:
        lift_time_limits(session.connection())
        now = _differences(None, BALANCES, _of_journal(), _of_bills())
        return [*now, *(found for day in _days_with_journal() for found in _of_day(*day))]


def _of_journal() -> Rows:
    """Return the balances of now: those of the last closed day plus the journal's open rows."""
    last = select(func.max(ClosedDay.day)).scalar_subquery()
    closed = _columns(DailyBalance).where(DailyBalance.day == last)
    opened = _columns(PaymentJournal).where(PaymentJournal.closed.is_(False))
    parts = union_all(closed, opened).subquery("parts")
    sums = [func.sum(parts.c[name]) for name in BALANCES]
    query = select(parts.c.unit, parts.c.category, *sums)
    return _rows(query.group_by(parts.c.unit, parts.c.category))


def _columns(table: Any) -> Select[Any]:
    return select(table.unit, table.category, *(getattr(table, name) for name in BALANCES))


def _of_bills() -> Rows:
    places = (Siswa.unit_formal, Tagihan.category)
    sums = (func.sum(OWED), func.sum(OVERPAID), func.sum(Tagihan.paid))
    query = select(*places, *sums).join(Siswa, Siswa.id == Tagihan.siswa_id)
    return _rows(query.group_by(*places))


def _days_with_journal() -> Iterator[tuple[str, str]]:
    """Yield each closed day whose journal is not pruned, and the closed day before it."""
    max_age = timedelta(days=current_app.config["HISTORY_KEEP_DAYS"])
    query = select(ClosedDay.day).where(ClosedDay.day >= day_of(utcnow() - max_age).isoformat())
    days = db.session.scalars(query.order_by(ClosedDay.day)).all()
    for day in days:
        before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
        if before in days:
            yield day, before


def _of_day(day: str, before: str) -> Iterator[Difference]:
    amounts = [getattr(DailyBalance, name) for name in Amounts._fields]
    query = select(DailyBalance.unit, DailyBalance.category, *amounts)
    written = _rows(query.where(DailyBalance.day == day))
    parts = sums_of(day, before)
    counted = {(row[1], row[2]): tuple(map(int, row[3:])) for row in db.session.execute(parts)}
    return _differences(day, Amounts._fields, written, counted)


def _rows(query: Any) -> Rows:
    return {
        (unit, name): tuple(map(int, amounts)) for unit, name, *amounts in db.session.execute(query)
    }


def _differences(
    day: str | None,
    names: tuple[str, ...],
    written: Mapping[tuple[str, str], tuple[int, ...]],
    counted: Mapping[tuple[str, str], tuple[int, ...]],
) -> Iterator[Difference]:
    nothing = (0,) * len(names)
    for place in sorted(written.keys() | counted.keys()):
        pairs = zip(written.get(place, nothing), counted.get(place, nothing), strict=True)
        for name, (one, other) in zip(names, pairs, strict=True):
            if one != other:
                yield Difference(day, *place, name, one, other)
