"""Tables for amounts over many students: one row per bill, the sets of periods and categories in
which students have bills, and the payments or bills that vanished from the API."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, case, text
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow

PERIOD_LENGTH, NAME_LENGTH = 64, 120


class Tagihan(Model):
    """One bill of a student, written with the student's payments (`domain.payment_api.bill_rows`).

    Amounts are whole sen, which every database adds up exactly. `remaining` is 0 if less than half
    a rupiah is left. `kelas` is the class in that period, `position` the place in the API's answer.
    A category without items, or a period without bills, has one row with an empty `item` and the
    amounts that the API gives for the whole category or period.

    No foreign key: bills are written only under the student's lock, and PostgreSQL would check the
    student again for each bill.
    """

    __tablename__ = "tagihan"
    __table_args__ = (
        Index(
            "ix_tagihan_open_bills",
            *("siswa_id", "period_id", "category", "remaining"),
            sqlite_where=text("remaining <> 0"),
            postgresql_where=text("remaining <> 0"),
        ),
        {"sqlite_with_rowid": False},
    )
    siswa_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    period_id: Mapped[str] = mapped_column(key_type(PERIOD_LENGTH))
    kelas: Mapped[str] = mapped_column(String(NAME_LENGTH))
    category: Mapped[str] = mapped_column(key_type(NAME_LENGTH))
    item: Mapped[str] = mapped_column(String(NAME_LENGTH))
    billed: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)


# What a bill adds to the amount owed, and to the amount overpaid.
OWED = case((Tagihan.remaining > 0, Tagihan.remaining), else_=0)
OVERPAID = case((Tagihan.remaining < 0, -Tagihan.remaining), else_=0)


class BillSet(Model):
    """One pair of period and category of a set. A set is all pairs in which a student has bills;
    students with the same pairs share it, and `siswa.bill_set` is its id (see
    `domain.siswa.bill_sets`). A set never changes and is never deleted."""

    __tablename__ = "bill_set"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    period_id: Mapped[str] = mapped_column(key_type(PERIOD_LENGTH), primary_key=True)
    category: Mapped[str] = mapped_column(key_type(NAME_LENGTH), primary_key=True)


class PaymentLoss(Model):
    """What the latest change took away from a student (see `domain.siswa.losses`), if anything.

    `paid_before` and `paid_after` are totals in sen. `vanished` is the number of bills that are
    gone, `vanished_billed` their sum in sen, `vanished_name` the first of them.
    """

    __tablename__ = "payment_loss"
    siswa_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    paid_before: Mapped[int] = mapped_column(BigInteger)
    paid_after: Mapped[int] = mapped_column(BigInteger)
    vanished: Mapped[int] = mapped_column()
    vanished_billed: Mapped[int] = mapped_column(BigInteger)
    vanished_name: Mapped[str] = mapped_column(String(400))
