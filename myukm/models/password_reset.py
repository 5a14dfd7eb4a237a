"""One-time codes for a forgotten password."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type


class PasswordReset(Model):
    """The code that an admin made for an account, one at a time; only its digest is kept."""

    __tablename__ = "password_reset"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    code_hash: Mapped[str] = mapped_column(key_type(64))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
