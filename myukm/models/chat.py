"""Messages of the UKM chat, and their mentions, reactions, pins and reports."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, to_iso8601, utcnow
from myukm.models.chat_file import ChatFile
from myukm.models.search_terms import search_text
from myukm.models.ukm import Ukm
from myukm.models.user import User

QUOTE_LENGTH = 140
Terms = Text().with_variant(mysql.TEXT(charset="ascii", collation="ascii_bin"), "mysql")


def _search_text(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    has_files = bool(row.get("file_count"))
    return search_text(row["ukm_id"], row["user_id"], row["body"], has_files=has_files)


class ChatMessage(Model):
    """A message. `number` counts within its UKM; `published_at` is set when it was broadcast.

    `reply_to_id` is a message of the same UKM, `mentions` the ids of the members it names.
    `file_count` is stored, so that a message without files needs no query for files. `search_text`
    has the terms under which a search finds the message (`search_terms`); a deleted message has
    none. On SQLite the full-text index is a separate table, which triggers update (migration 0030).
    """

    __tablename__ = "chat_message"
    __table_args__ = (
        UniqueConstraint("ukm_id", "user_id", "client_id"),
        UniqueConstraint("ukm_id", "number"),
        Index("ix_chat_message_ukm_id", "ukm_id", "id"),
        Index("ix_chat_message_user_id", "user_id", "id"),
        Index("ix_chat_message_published_at", "published_at", "ukm_id"),
        Index("ix_chat_message_deleted_at", "ukm_id", "deleted_at", "number"),
        # A small pending list of the GIN index, because every search scans that list.
        Index(
            "ix_chat_message_search",
            text("array_to_tsvector(string_to_array(btrim(search_text), ' '))"),
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 256},
        ).ddl_if(dialect="postgresql"),
        Index("ix_chat_message_search", "search_text", mysql_prefix="FULLTEXT").ddl_if(
            dialect="mysql"
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("user_account.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(key_type(64))
    number: Mapped[int] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    search_text: Mapped[str] = mapped_column(
        Terms, default=_search_text, server_default="", deferred=True
    )
    # No foreign key: a message's row is deleted only with its UKM, and to add the key SQLite would
    # have to copy the table.
    reply_to_id: Mapped[int | None] = mapped_column(Id)
    mentions: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    file_count: Mapped[int] = mapped_column(default=0, server_default="0")
    ukm: Mapped[Ukm] = relationship()
    user: Mapped[User] = relationship()
    reply_to: Mapped["ChatMessage | None"] = relationship(
        primaryjoin="foreign(ChatMessage.reply_to_id) == remote(ChatMessage.id)", viewonly=True
    )
    files: Mapped[list[ChatFile]] = relationship(order_by=ChatFile.position, viewonly=True)

    def as_json(self) -> dict[str, Any]:
        """Return the message as `Message` of docs/api.yaml. A deleted message has an empty text."""
        quoted = None if self.deleted_at else self.reply_to
        return {
            "id": self.id,
            "client_id": self.client_id,
            "ukm": self.ukm.code,
            "user_id": self.user_id,
            "name": self.user.name,
            "message": self.body,
            "created_at": to_iso8601(self.created_at),
            "edited_at": to_iso8601(self.edited_at),
            "deleted": self.deleted_at is not None,
            "reply_to": quoted.as_quote() if quoted else None,
            "mentions": self.mentions or [],
            "photo": self.user.photo,
            "files": self._files(),
        }

    def _files(self) -> list[dict[str, Any]]:
        return [file.as_json(self.ukm.code) for file in self.files] if self.file_count else []

    def as_quote(self) -> dict[str, Any]:
        """Return the quote of this message in a reply: its author and its first line."""
        first_line = self.body.partition("\n")[0]
        return {
            "id": self.id,
            "user_id": self.user_id,
            "name": self.user.name,
            "message": first_line[:QUOTE_LENGTH],
            "deleted": self.deleted_at is not None,
            "files": self.file_count,
        }


class ChatMention(Model):
    """A person to whom a message is addressed, by a mention or as a reply to their message."""

    __tablename__ = "chat_mention"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[int] = mapped_column(
        Id, ForeignKey("chat_message.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ChatReaction(Model):
    """One person's emoji on a message."""

    __tablename__ = "chat_reaction"
    message_id: Mapped[int] = mapped_column(
        Id, ForeignKey("chat_message.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    emoji: Mapped[str] = mapped_column(key_type(8), primary_key=True)


class UkmPin(Model):
    """The pin on top of a UKM's chat: a message, or a text of its own."""

    __tablename__ = "ukm_pin"
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("chat_message.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    message: Mapped[ChatMessage | None] = relationship()
    by: Mapped[User | None] = relationship()


class MessageReport(Model):
    """A member's complaint about a message; `settled_at` is set once an admin has decided."""

    __tablename__ = "message_report"
    __table_args__ = (
        UniqueConstraint("message_id", "user_id"),
        Index("ix_message_report_ukm_id", "ukm_id", "settled_at", "message_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(Id, ForeignKey("chat_message.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()
