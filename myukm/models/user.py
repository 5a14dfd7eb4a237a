"""People who log in, and their log-ins."""

from datetime import datetime
from enum import StrEnum

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
    """An account. `nim` is what the person types to log in."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nim: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(key_type(16), default=Role.ANGGOTA)
    password_hash: Mapped[str] = mapped_column(String(255))
    blocked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class LoginSession(UserMixin, Model):  # type: ignore[misc]
    """One log-in on one device; deleting the row logs that device out at once.

    This is what Flask-Login calls the user, so that the cookie carries the session's token and
    never an account's id. It passes on what pages need of the account.
    """

    __tablename__ = "login_session"
    token: Mapped[str] = mapped_column(key_type(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
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
