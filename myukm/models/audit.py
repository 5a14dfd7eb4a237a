"""Who did what: the trail that admins read."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.database import Id, UTCDateTime, key_type, utcnow
from myukm.orm import Model


class Audit(Model):
    """One action of a person; names are kept as they were, accounts may go."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(key_type(64))
    subject: Mapped[str] = mapped_column(String(200), default="")
