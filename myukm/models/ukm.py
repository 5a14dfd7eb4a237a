"""Student activity units and who belongs to them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.user import User


class Ukm(Model):
    """A unit. `code` is its address; `join_code`, which is random, lets people in.

    `last_number` counts its messages: the newest message has that number. An archived unit can
    only be read.
    """

    __tablename__ = "ukm"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(key_type(32), unique=True)
    join_code: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    last_number: Mapped[int] = mapped_column(Id, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Membership(Model):
    """A person in a unit; `read_number` is that of the last message read.

    `notices` says which messages ring: all, mentions (and replies), none.
    """

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("ukm_id", "user_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    is_admin: Mapped[bool] = mapped_column(default=False)
    muted_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_number: Mapped[int] = mapped_column(Id, default=0)
    notices: Mapped[str] = mapped_column(key_type(8), default="all", server_default="all")
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    ukm: Mapped[Ukm] = relationship()
    user: Mapped[User] = relationship()

    @property
    def unread(self) -> int:
        """How many messages came since the person last read."""
        return self.ukm.last_number - self.read_number

    def is_muted(self) -> bool:
        """Return whether the person may only read now."""
        return self.muted_until is not None and self.muted_until > utcnow()
