"""The latest time in SYNC_SCHEDULE that has been handled."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type


class SyncSchedule(Model):
    """One row: `handled` is the latest time of the cron expression `expression` that was handled;
    `outcome` says whether it started a run, or why not (see `domain.sync.schedule`)."""

    __tablename__ = "sync_schedule"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    expression: Mapped[str] = mapped_column(String(200), default="")
    handled: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(key_type(16), default="new")
