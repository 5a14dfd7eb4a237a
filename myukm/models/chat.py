"""Messages of the UKM chat."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.database import Id, UTCDateTime, iso, key_type, utcnow
from myukm.models.ukm import Ukm
from myukm.models.user import User
from myukm.orm import Model


class ChatMessage(Model):
    """A message. `number` counts within its UKM; `published_at` is set by who broadcast it."""

    __tablename__ = "chat_message"
    __table_args__ = (
        UniqueConstraint("ukm_id", "user_id", "client_id"),
        UniqueConstraint("ukm_id", "number"),
        Index("ix_chat_message_ukm_id", "ukm_id", "id"),
        Index("ix_chat_message_user_id", "user_id", "id"),
        Index("ix_chat_message_published_at", "published_at", "ukm_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("user_account.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(key_type(64))
    number: Mapped[int] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ukm: Mapped[Ukm] = relationship()
    user: Mapped[User] = relationship()

    def as_json(self) -> dict[str, Any]:
        """Return the message object of the contract; nothing is left of a deleted one's text."""
        return {
            "id": self.id,
            "client_id": self.client_id,
            "ukm": self.ukm.code,
            "user_id": self.user_id,
            "name": self.user.name,
            "message": self.body,
            "created_at": iso(self.created_at),
            "edited_at": iso(self.edited_at),
            "deleted": self.deleted_at is not None,
        }
