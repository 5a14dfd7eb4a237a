"""People who log in, and their log-ins."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from flask_login import UserMixin
from sqlalchemy import ColumnElement, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow


class Role(StrEnum):
    """What an account may do; the table is in the contract."""

    ADMIN = "admin"
    BENDAHARA = "bendahara"
    OPERATOR = "operator"
    ANGGOTA = "anggota"


class User(Model):
    """An account. `nim` is what the person types to log in.

    `photo_hash` names the pictures in `user_photo`. Who deleted their account has `deleted_at`:
    the row stays for their messages and says nothing of the person any more. `attacked_at`:
    somebody tries to guess the password, and the owner has not yet said that they know.
    """

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nim: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(key_type(16), default=Role.ANGGOTA)
    password_hash: Mapped[str] = mapped_column(String(255))
    photo_hash: Mapped[str | None] = mapped_column(key_type(64))
    blocked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    recent_acts: Mapped[str] = mapped_column(String(400), server_default="", deferred=True)
    attacked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    @property
    def photo(self) -> str | None:
        """The address of the person's small picture, None without one."""
        return photo_url(self)


class HasPhoto(Protocol):
    """An account, or a row of a query that has the column."""

    @property
    def photo_hash(self) -> str | None:
        """The digest of the picture."""


def photo_url(person: HasPhoto) -> str | None:
    """Return the address of a person's small picture as pages and JSON carry it, None without."""
    return f"/photos/{person.photo_hash}/small" if person.photo_hash else None


class LoginSession(UserMixin, Model):  # type: ignore[misc]
    """One log-in on one device; deleting the row logs that device out at once.

    This is what Flask-Login calls the user, so that the cookie carries the session's token and
    never an account's id. It passes on what pages need of the account. `seen_at` is the first
    request of the last day on which it was used. Only the token's SHA-256 is stored: whoever
    reads the database has no log-in.
    """

    MAX_IDLE, MAX_AGE = timedelta(days=30), timedelta(days=180)

    __tablename__ = "login_session"
    token_hash: Mapped[str] = mapped_column("token", key_type(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    token = ""  # known only to the request that logs in, and to the cookie

    @staticmethod
    def digest(token: str) -> str:
        """Return what is stored of a token."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def stands(cls, now: datetime) -> ColumnElement[bool]:
        """Return the condition for log-ins that have not run out."""
        return (cls.seen_at > now - cls.MAX_IDLE) & (cls.created_at > now - cls.MAX_AGE)

    def get_id(self) -> str:
        """Return what Flask-Login puts into the cookie."""
        return self.token

    @property
    def nim(self) -> str:
        """The account's log-in number."""
        return self.user.nim

    @property
    def name(self) -> str:
        """The account's name."""
        return self.user.name

    @property
    def role(self) -> str:
        """The account's role."""
        return self.user.role

    @property
    def photo(self) -> str | None:
        """The address of the account's small picture."""
        return self.user.photo
