"""Closed days: the balances at the end of each campus day. They stay when the journal is pruned.

A day's balances are those of the closed day before plus the day's journal, so a day on which no
process ran is closed later with the same balances. A journal row that is committed after its day
was closed (its transaction had begun before midnight) counts for the next day that is closed.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Select, func, insert, literal, or_, select, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import delete_some, transaction
from myukm.db.types import utcnow
from myukm.domain.income.movements import Amounts
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import ClosedDay, DailyBalance, PaymentJournal

# Few transactions that begin before midnight commit later than this.
GRACE = timedelta(minutes=1)
CHUNK = 1000
ONE_DAY = timedelta(days=1)
BALANCES = Amounts._fields[:3]
FLOWS = Amounts._fields[3:]


class DayCloser:
    """A leader task. It queries the database once a day, and after each day that it closed."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def run(self) -> None:
        """Close the next day that is over, if any."""
        now = utcnow()
        if self._next is not None and now < self._next:
            return
        if not close_next(now):
            tomorrow = day_of(now) + ONE_DAY
            self._next = datetime.combine(tomorrow, time(), campus_timezone()) + GRACE


def day_of(moment: datetime) -> date:
    """Return the campus's day of a moment."""
    return moment.astimezone(campus_timezone()).date()


def close_next(now: datetime) -> bool:
    """Close the first day that is over and not closed; return whether there was one.

    The first day that is ever closed is yesterday, so history begins today.
    """
    over = day_of(now - GRACE) - ONE_DAY
    last = db.session.scalar(select(func.max(ClosedDay.day)))
    day = date.fromisoformat(last) + ONE_DAY if last else over
    if day > over:
        return False
    _close(day.isoformat(), last)
    return True


def _close(day: str, last: str | None) -> None:
    """Write the balances of a day, unless another process does; `last` is the closed day before."""
    try:
        with transaction() as session:
            session.add(ClosedDay(day=day))
            session.flush()
            _mark_closed(session, day)
            session.execute(
                insert(DailyBalance).from_select(
                    ["day", "unit", "category", *Amounts._fields], sums_of(day, last)
                )
            )
    except IntegrityError:
        db.session.rollback()


def _mark_closed(session: Session, day: str) -> None:
    """Mark the day's rows as closed before they are added up, because rows that are committed
    meanwhile must stay open for the next day."""
    late = (PaymentJournal.closed.is_(False), PaymentJournal.day <= day)
    session.execute(update(PaymentJournal).where(*late).values(day=day, closed=True))


def sums_of(day: str, last: str | None) -> Select[Any]:
    """Return the query of the balances of a day: those of the closed day `last` before it, plus the
    day's closed rows of the journal."""
    nothing = [literal(0).label(name) for name in FLOWS]
    before = select(*_columns(DailyBalance, BALANCES), *nothing).where(DailyBalance.day == last)
    moved = select(*_columns(PaymentJournal, Amounts._fields))
    moved = moved.where(PaymentJournal.closed, PaymentJournal.day == day)
    parts = union_all(before, moved).subquery("parts")
    sums = [func.sum(parts.c[name]) for name in Amounts._fields]
    query = select(literal(day), parts.c.unit, parts.c.category, *sums)
    grouped = query.group_by(parts.c.unit, parts.c.category)
    return grouped.having(or_(*(one != 0 for one in sums)))


def _columns(table: Any, names: Sequence[str]) -> list[Any]:
    return [table.unit, table.category, *(getattr(table, name) for name in names)]


def prune() -> bool:
    """Delete the next closed rows of days older than `HISTORY_KEEP_DAYS`; return whether more may
    be left."""
    max_age = timedelta(days=current_app.config["HISTORY_KEEP_DAYS"])
    oldest = day_of(utcnow() - max_age).isoformat()
    old = PaymentJournal.closed & (PaymentJournal.day < oldest)
    with transaction() as session:
        return delete_some(session, PaymentJournal, old, CHUNK) == CHUNK
