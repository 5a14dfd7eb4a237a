"""Password-reset codes."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type


class PasswordReset(Model):
    """The one-time code of an account, at most one; only its digest is stored."""

    __tablename__ = "password_reset"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    code_hash: Mapped[str] = mapped_column(key_type(64))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
