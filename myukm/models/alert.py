"""Alerts: findings that lasted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow


class Alert(Model):
    """A finding of the doctor that lasted long enough to alert.

    `open` is its code and subject while the finding lasts and NULL afterwards; unique, so there is
    at most one open alert per code and subject.
    """

    __tablename__ = "alert"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    open: Mapped[str | None] = mapped_column(key_type(64), unique=True)
    code: Mapped[str] = mapped_column(key_type(64))
    level: Mapped[str] = mapped_column(key_type(16))
    message: Mapped[str] = mapped_column(Text)
    cure: Mapped[str | None] = mapped_column(Text)
    translations: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    since: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
