"""Accounts and log-ins."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import ColumnElement, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, ago, key_type, utcnow


class Role(StrEnum):
    """The role of an account; README has the table of what each may do."""

    ADMIN = "admin"
    BENDAHARA = "bendahara"
    OPERATOR = "operator"
    ANGGOTA = "anggota"


class User(Model):
    """An account; people log in with `nim`.

    `photo_hash` is the digest of the pictures in `user_photo`. A deleted account has `deleted_at`;
    its row stays for its messages, without personal data. `attacked_at` is set when somebody tried
    to guess the password, until the owner dismisses the notice. `idperson` is the student whose
    bills the owner may see, `linked_by` how it was linked (see `domain.siswa.links`). This is not a
    foreign key to the student's row, because the id of a deleted row may be used again, but an
    idperson is never given to another student.
    """

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL
    __table_args__ = (Index("ix_user_account_idperson", "idperson", unique=True),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nim: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(key_type(16), default=Role.ANGGOTA)
    password_hash: Mapped[str] = mapped_column(String(255))
    photo_hash: Mapped[str | None] = mapped_column(key_type(64))
    blocked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    recent_acts: Mapped[str] = mapped_column(String(400), default="", server_default="")
    attacked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    idperson: Mapped[str | None] = mapped_column(key_type(64))
    linked_by: Mapped[str | None] = mapped_column(key_type(8))
    linked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    @property
    def photo(self) -> str | None:
        """The URL of the user's small picture, None without one."""
        return f"/photos/{self.photo_hash}/small" if self.photo_hash else None


class LoginSession(UserMixin, Model):  # type: ignore[misc]
    """A log-in on one device. Deleting the row logs that device out at once.

    This is Flask-Login's user object, so that the cookie contains the log-in's token, never the
    account's id. It exposes the fields of the account that pages need. `seen_at` is the time of the
    first request on the last day of use. Only the token's SHA-256 is stored, so a reader of the
    database cannot log in.
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

    token = ""  # set only in the request that logs in; afterwards only the cookie has it

    @staticmethod
    def digest(token: str) -> str:
        """Return the stored digest of a token."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def is_valid(cls) -> ColumnElement[bool]:
        """Return the SQL condition for log-ins that have not expired when it is executed."""
        return (cls.seen_at > ago(cls.MAX_IDLE)) & (cls.created_at > ago(cls.MAX_AGE))

    def get_id(self) -> str:
        """Return the token, which Flask-Login stores in the cookie."""
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
        """The URL of the account's small picture."""
        return self.user.photo
