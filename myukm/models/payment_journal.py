"""Changes of the amounts owed and paid: a journal of sums by unit and category, and closed days.

Days are the campus's, written as 2026-11-30, amounts whole sen.
"""

from sqlalchemy import BigInteger, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, key_type
from myukm.models.tagihan import NAME_LENGTH, PERIOD_LENGTH

DAY_LENGTH = 10


class _Amounts:
    """Sums over bills: `owed`, `overpaid`, `paid`; `received`, by how much paid amounts rose, and
    `corrected`, by how much they fell (also positive); `lost`, what was paid on bills that vanished
    from the API, less what was paid on bills that came back."""

    owed: Mapped[int] = mapped_column(BigInteger)
    overpaid: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    corrected: Mapped[int] = mapped_column(BigInteger)
    lost: Mapped[int] = mapped_column(BigInteger)


class PaymentJournal(_Amounts, Model):
    """What one transaction changed (see `domain.income.journal`), by unit and category.

    `owed`, `overpaid` and `paid` are changes. `closed`: the row is counted in a closed day. A row
    names no student, so that a lane writes few rows; `payment_change` has the students.
    """

    __tablename__ = "payment_journal"
    __table_args__ = (Index("ix_payment_journal_open", "closed", "day"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[str] = mapped_column(key_type(DAY_LENGTH))
    unit: Mapped[str] = mapped_column(key_type(NAME_LENGTH))
    category: Mapped[str] = mapped_column(key_type(NAME_LENGTH))
    closed: Mapped[bool] = mapped_column(default=False, server_default=false())


class DailyBalance(_Amounts, Model):
    """A unit and category at the end of a day: `owed`, `overpaid` and `paid` in total, `received`,
    `corrected` and `lost` on that day. Never deleted."""

    __tablename__ = "daily_balance"
    day: Mapped[str] = mapped_column(key_type(DAY_LENGTH), primary_key=True)
    unit: Mapped[str] = mapped_column(key_type(NAME_LENGTH), primary_key=True)
    category: Mapped[str] = mapped_column(key_type(NAME_LENGTH), primary_key=True)


class ClosedDay(Model):
    """A day whose balances are written. Its key lets only one of several processes write them."""

    __tablename__ = "closed_day"
    day: Mapped[str] = mapped_column(key_type(DAY_LENGTH), primary_key=True)


class VanishedBill(Model):
    """A bill that the API no longer lists. `paid` is the part of its paid amount that no other
    bill took over; if the bill comes back, this part is not counted as income.

    `number` tells bills of one period, category and item apart: 0 has the largest paid amount.
    No foreign key, for the reason given in `Tagihan`.
    """

    __tablename__ = "vanished_bill"
    siswa_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    period_id: Mapped[str] = mapped_column(key_type(PERIOD_LENGTH), primary_key=True)
    category: Mapped[str] = mapped_column(key_type(NAME_LENGTH), primary_key=True)
    item: Mapped[str] = mapped_column(key_type(NAME_LENGTH), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paid: Mapped[int] = mapped_column(BigInteger)
