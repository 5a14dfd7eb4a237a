"""The leader: the one process that runs the leader tasks (`ops/periodic.py`)."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type


class LeaderLease(Model):
    """The holder increments `heartbeat`; a lease whose heartbeat stops may be taken over.

    `led_at` is the time of the last increment, for readers that do not compare two heartbeats.
    """

    __tablename__ = "leader_lease"
    name: Mapped[str] = mapped_column(key_type(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(120), default="")
    heartbeat: Mapped[int] = mapped_column(Id, default=0)
    led_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
