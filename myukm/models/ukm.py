"""UKMs (student activity units) and their members."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.siswa import SEARCH_LENGTH, fold
from myukm.models.user import User

MAX_INTRO = 200


class Ukm(Model):
    """A UKM. `code` is part of its URL; `join_code` is random and lets people join.

    `last_number` is the number of its newest message. An archived UKM is read-only. `link_token`
    lets people join until `link_until`. `is_listed`: the directory shows the UKM with its `intro`.
    `search_text` is name, code and intro, folded: lists are searched and sorted by it.
    """

    __tablename__ = "ukm"
    __table_args__ = (Index("ix_ukm_link_token", "link_token", unique=True),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(key_type(32), unique=True)
    join_code: Mapped[str] = mapped_column(key_type(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    last_number: Mapped[int] = mapped_column(Id, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    link_token: Mapped[str | None] = mapped_column(key_type(32))
    link_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    is_listed: Mapped[bool] = mapped_column(default=False, server_default=false())
    intro: Mapped[str] = mapped_column(String(MAX_INTRO), default="", server_default="")
    search_text: Mapped[str] = mapped_column(
        key_type(SEARCH_LENGTH), default="", server_default="", deferred=True
    )

    @property
    def has_link(self) -> bool:
        """Whether its join link lets people in now."""
        return self.link_until is not None and self.link_until > utcnow() and not self.archived_at


def search_text(name: str, code: str, intro: str) -> str:
    """Return the text by which a UKM is found and sorted."""
    return fold(f"{name} {code} {intro}")[:SEARCH_LENGTH]


@event.listens_for(Ukm, "before_insert")
@event.listens_for(Ukm, "before_update")
def _set_search_text(_mapper: Any, _connection: Any, ukm: Ukm) -> None:
    ukm.search_text = search_text(ukm.name, ukm.code, ukm.intro or "")


class Membership(Model):
    """A member of a UKM; `read_number` is the number of the last message read. `read_at` is when
    the member first viewed the newest announcement that they have seen.

    `notices` is the notification level: all, mentions (and replies), none. `push_all`: every
    message notifies the member's devices, if the level is all.
    """

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("ukm_id", "user_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    is_admin: Mapped[bool] = mapped_column(default=False)
    muted_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_number: Mapped[int] = mapped_column(Id, default=0)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    notices: Mapped[str] = mapped_column(key_type(8), default="all", server_default="all")
    push_all: Mapped[bool] = mapped_column(default=False, server_default=false())
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    ukm: Mapped[Ukm] = relationship()
    user: Mapped[User] = relationship()

    def is_muted(self) -> bool:
        """Return whether the member is muted now."""
        return self.muted_until is not None and self.muted_until > utcnow()


class UkmBlock(Model):
    """A person who may not join a UKM again."""

    __tablename__ = "ukm_block"
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        Id,
        ForeignKey("user_account.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    user: Mapped[User] = relationship()


class JoinRequest(Model):
    """A person's request to join a listed UKM, deleted once the person is a member; `refused_at` is
    set when an admin has refused it."""

    __tablename__ = "join_request"
    __table_args__ = (Index("ix_join_request_ukm", "ukm_id", "refused_at", "at"),)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    refused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()
    ukm: Mapped[Ukm] = relationship()
