"""How a unit is looked after: who is kept out, what is pinned, reported, and was done."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.chat import ChatMessage
from myukm.models.user import User


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


class UkmPin(Model):
    """What stands on top of a unit's chat: a message, or a text of its own."""

    __tablename__ = "ukm_pin"
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("chat_message.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    message: Mapped[ChatMessage | None] = relationship()
    by: Mapped[User | None] = relationship()


class MessageReport(Model):
    """A member's complaint about a message; `settled_at` is set once an admin has decided."""

    __tablename__ = "message_report"
    __table_args__ = (
        UniqueConstraint("message_id", "user_id"),
        Index("ix_message_report_ukm_id", "ukm_id", "settled_at", "message_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(Id, ForeignKey("chat_message.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


class UkmLog(Model):
    """One thing that was done in a unit. No `actor`: the campus's command line, or who is gone."""

    __tablename__ = "ukm_log"
    __table_args__ = (Index("ix_ukm_log_ukm_id", "ukm_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    action: Mapped[str] = mapped_column(key_type(32))
    person_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    detail: Mapped[str] = mapped_column(String(200), default="")
    actor: Mapped[User | None] = relationship(foreign_keys=actor_id)
    person: Mapped[User | None] = relationship(foreign_keys=person_id)
