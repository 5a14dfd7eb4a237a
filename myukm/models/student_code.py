"""One-time codes that link an account to a student."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import UTCDateTime, key_type, utcnow


class StudentCode(Model):
    """The unused one-time code of a student; deleted when used, replaced, or older than `MAX_AGE`.

    Only a digest is stored, so a reader of the database cannot use the code.
    """

    MAX_AGE = timedelta(days=14)

    __tablename__ = "student_code"
    idperson: Mapped[str] = mapped_column(key_type(64), primary_key=True)
    code_hash: Mapped[str] = mapped_column(key_type(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    @classmethod
    def is_valid(cls, now: datetime) -> ColumnElement[bool]:
        """Return the SQL condition for codes that have not expired."""
        return cls.created_at > now - cls.MAX_AGE
