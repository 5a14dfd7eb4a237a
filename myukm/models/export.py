"""Files that a job writes for an account, and their bytes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.photo import MediumBlob


class ExportState(StrEnum):
    """The state of an export. Writing ends with `ready` or `failed`. `deleted`: its owner deleted
    it, or it expired; `retention.prune` deletes its parts and its row later."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


OPEN_EXPORTS = (ExportState.QUEUED, ExportState.RUNNING)


class Export(Model):
    """A file that an account requested: a list of students as CSV or XLSX, where `query` are the
    filters (as in a URL), or everything of a UKM as ZIP, where `query` is the UKM's code. `lang` is
    the language of the file.

    `holder` is the job that writes the file and raises `heartbeat` twice a second; `losses` counts
    how often the export was begun anew: its holder died, or messages were deleted while an archive
    was written. `total` and `done` count students, or messages and files; `size` is in bytes.
    `place` is where the next job continues, `turn` how many jobs have handed the export over to
    the next job since it was last begun.
    """

    __tablename__ = "export"
    __table_args__ = (Index("ix_export_user_id", "user_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("user_account.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(key_type(8))
    query: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(key_type(8))
    state: Mapped[str] = mapped_column(key_type(16), default=ExportState.QUEUED)
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(Id, default=0)
    holder: Mapped[str | None] = mapped_column(key_type(36))
    heartbeat: Mapped[int] = mapped_column(Id, default=0)
    losses: Mapped[int] = mapped_column(default=0)
    place: Mapped[str | None] = mapped_column(Text)
    turn: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def job_id(self) -> str:
        """The id of the job that writes or wrote the file; each turn and each loss has its own."""
        turn = f"-{self.turn}" if self.turn else ""
        return f"export-{self.id}-{self.losses}{turn}"


class ExportPart(Model):
    """A part of an export's file, because databases limit the size of a value."""

    __tablename__ = "export_part"
    export_id: Mapped[int] = mapped_column(
        Id, ForeignKey("export.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(MediumBlob)
