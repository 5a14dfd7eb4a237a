"""Invitations to register."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.user import Role


class Invitation(Model):
    """An invitation of a NIM with name and role; deleted when used, or older than `MAX_AGE`.

    Only a digest of the one-time code is stored, so a reader of the database cannot register.
    """

    MAX_AGE = timedelta(days=30)

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nim: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(key_type(16), default=Role.ANGGOTA)
    code_hash: Mapped[str] = mapped_column(key_type(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    @classmethod
    def is_valid(cls, now: datetime) -> ColumnElement[bool]:
        """Return the SQL condition for invitations that have not expired."""
        return cls.created_at > now - cls.MAX_AGE
