"""Queries of the income report: closed days from `daily_balance`, later days from the journal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select, union_all

from myukm.domain.income.closing import BALANCES, FLOWS
from myukm.extensions import db
from myukm.models import ClosedDay, DailyBalance, PaymentJournal

ONE_DAY = timedelta(days=1)


class Flow(NamedTuple):
    """What was received, corrected (taken back) and lost with bills that vanished, in sen."""

    received: int = 0
    corrected: int = 0
    lost: int = 0

    @property
    def net(self) -> int:
        return self.received - self.corrected


def previous(first: date) -> date:
    """Return the first day of the month before."""
    return (first - ONE_DAY).replace(day=1)


def last_of(first: date) -> date:
    """Return the last day of the month."""
    return (first + 31 * ONE_DAY).replace(day=1) - ONE_DAY


def days(names: Iterable[str], first: date, last: date) -> Select[Any]:
    """Return the query of day, unit, category and the columns `names` from `first` to `last`: rows
    of closed days and open rows of the journal."""
    columns = ("day", "unit", "category", *names)
    bounds = first.isoformat(), last.isoformat()
    closed = select(*(getattr(DailyBalance, name) for name in columns))
    closed = closed.where(DailyBalance.day.between(*bounds))
    opened = select(*(getattr(PaymentJournal, name) for name in columns))
    opened = opened.where(PaymentJournal.closed.is_(False), PaymentJournal.day.between(*bounds))
    return select(union_all(closed, opened).subquery("days"))


def by_day(first: date) -> dict[date, Flow]:
    """Return what came in on each day from `first`."""
    rows = days(FLOWS, first, date.max).subquery()
    sums = [func.sum(rows.c[name]) for name in FLOWS]
    query = select(rows.c.day, *sums).group_by(rows.c.day)
    return {date.fromisoformat(day): Flow(*map(int, s)) for day, *s in db.session.execute(query)}


def balances(at: Sequence[date]) -> dict[date, tuple[int, int]]:
    """Return the amounts owed and overpaid at the end of those of these days that are closed."""
    sums = (func.sum(DailyBalance.owed), func.sum(DailyBalance.overpaid))
    query = select(DailyBalance.day, *sums).group_by(DailyBalance.day)
    rows = db.session.execute(query.where(DailyBalance.day.in_(day.isoformat() for day in at)))
    return {date.fromisoformat(day): (int(owed), int(over)) for day, owed, over in rows}


def balance_now() -> tuple[int, int]:
    """Return the amounts owed and overpaid now: those of the last closed day plus the journal's
    open rows."""
    last = select(func.max(ClosedDay.day)).scalar_subquery()
    columns = BALANCES[:2]
    closed = select(*(getattr(DailyBalance, name) for name in columns))
    opened = select(*(getattr(PaymentJournal, name) for name in columns))
    parts = union_all(
        closed.where(DailyBalance.day == last), opened.where(PaymentJournal.closed.is_(False))
    ).subquery("now")
    sums = [func.coalesce(func.sum(parts.c[name]), literal(0)) for name in columns]
    owed, overpaid = db.session.execute(select(*sums)).one()
    return int(owed), int(overpaid)


def since() -> date | None:
    """Return the first day of history: the day after the first closed day, or if no day is closed
    yet, the journal's first day."""
    if first := db.session.scalar(select(func.min(ClosedDay.day))):
        return date.fromisoformat(first) + ONE_DAY
    opened = db.session.scalar(select(func.min(PaymentJournal.day)))
    return date.fromisoformat(opened) if opened else None


Places = dict[tuple[str, str, date], Flow]


def of_places(chosen: date) -> Places:
    """Return the sums by unit, category and month, for a month and the month before."""
    rows = days(FLOWS, previous(chosen), last_of(chosen)).subquery()
    month = func.substr(rows.c.day, 1, 7)
    sums = [func.sum(rows.c[name]) for name in FLOWS]
    query = select(rows.c.unit, rows.c.category, month, *sums)
    found = db.session.execute(query.group_by(rows.c.unit, rows.c.category, month))
    return {(u, c, date.fromisoformat(f"{m}-01")): Flow(*map(int, s)) for u, c, m, *s in found}


def lines(first: date, last: date, *, by_month: bool) -> Iterator[tuple[str, str, str, Flow]]:
    """Yield what came in by day (or month), unit and category."""
    rows = days(FLOWS, first, last).subquery()
    sums = [func.sum(rows.c[name]) for name in FLOWS]
    when = func.substr(rows.c.day, 1, 7) if by_month else rows.c.day
    where = (when, rows.c.unit, rows.c.category)
    query = select(*where, *sums).group_by(*where).order_by(*where)
    for *names, received, corrected, lost in db.session.execute(query):
        if any(flow := Flow(int(received), int(corrected), int(lost))):
            yield (*names, flow)
