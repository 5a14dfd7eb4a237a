"""People who log in, and their log-ins."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.database import Id, UTCDateTime, key_type, utcnow
from myukm.orm import Model


class Role(StrEnum):
    """What an account may do; the table is in the contract."""

    ADMIN = "admin"
    BENDAHARA = "bendahara"
    OPERATOR = "operator"
    ANGGOTA = "anggota"


class User(Model):
    """An account. `nim` is what the person types to log in.

    `photo_hash` names the pictures in `user_photo`. Who deleted their account has `deleted_at`:
    the row stays for their messages and says nothing of the person any more.
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
    request of the last day on which it was used.
    """

    __tablename__ = "login_session"
    token: Mapped[str] = mapped_column(key_type(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie."""
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
