"""The history of changes in students' payments, including those of dry runs."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow


class PaymentChange(Model):
    """One changed field of one student; see `domain.sync.diff.Change`. `run_id` is None for a
    student that was synced alone; in a `dry_run` nothing was written.

    No foreign keys: a history outlives its student, and on MariaDB an insert with a foreign key
    `run_id` would take a shared lock on the run's row. Of two lanes that hold it, neither could
    then update the run.
    """

    __tablename__ = "payment_change"
    __table_args__ = (
        Index("ix_payment_change_idperson", "idperson", "id"),
        Index("ix_payment_change_run", "run_id", "idperson", "id"),
        Index("ix_payment_change_at", "at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int | None] = mapped_column(Id)
    dry_run: Mapped[bool] = mapped_column(default=False)
    idperson: Mapped[str] = mapped_column(key_type(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    period_id: Mapped[str] = mapped_column(String(64))
    field: Mapped[str] = mapped_column(String(255))
    old: Mapped[str | None] = mapped_column(String(200))
    new: Mapped[str | None] = mapped_column(String(200))
