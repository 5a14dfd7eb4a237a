"""One-time codes that let a NIM register."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.database import Id, UTCDateTime, key_type, utcnow
from myukm.models.user import Role
from myukm.orm import Model


class Invitation(Model):
    """Who may make an account, with which name and role; gone once they did.

    Only the code's SHA-256 is kept: whoever reads the database can't register.
    """

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nim: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(key_type(16), default=Role.ANGGOTA)
    code_hash: Mapped[str] = mapped_column(key_type(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
