"""UKMs (student activity units) and their members."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.user import User


class Ukm(Model):
    """A UKM. `code` is part of its URL; `join_code` is random and lets people join.

    `last_number` is the number of its newest message. An archived UKM is read-only.
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
    """A member of a UKM; `read_number` is the number of the last message read.

    `notices` is the notification level: all, mentions (and replies), none.
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

    def is_muted(self) -> bool:
        """Return whether the member is muted now."""
        return self.muted_until is not None and self.muted_until > utcnow()


class UkmBlock(Model):
    """A person who may not join a unit again."""

    __tablename__ = "ukm_block"
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        Id,
        ForeignKey("user_account.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    user: Mapped[User] = relationship()
