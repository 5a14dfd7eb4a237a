"""Imports of the student roster, and the changes of each."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.photo import MediumBlob


class ImportStatus(StrEnum):
    """The status of an import."""

    READING = "reading"  # its rows are compared with the students
    READY = "ready"  # nothing is written, a person may apply it
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"  # its source could not be read; `error` says why


# A job works on the import, or will.
BUSY = (ImportStatus.READING, ImportStatus.APPLYING, ImportStatus.UNDOING)
# The import was read and has changed no student.
READ = (ImportStatus.READY, ImportStatus.FAILED)
# The import has changed no student.
OPEN = (ImportStatus.READING, *READ)


class ChangeKind(StrEnum):
    """The kind of change to a student; `wrong` is a row that cannot be used."""

    NEW = "new"
    CHANGED = "changed"
    LEAVING = "leaving"
    WRONG = "wrong"


# For how long an applied import keeps its changes, so that it may be undone.
CHANGES_KEPT = timedelta(days=30)
# The position where an undo begins: after every change.
END = 2**31 - 1
# The kinds of change that are written to students.
WRITTEN = (ChangeKind.NEW, ChangeKind.CHANGED, ChangeKind.LEAVING)


class RosterImport(Model):
    """An import by an account (`account_id`) or by a command.

    `whole`: students that it does not name become inactive. `holder` works on it and raises
    `heartbeat`; `tries` counts holders that died. `live` is 1 while it changes students; unique, so
    only one import does. `settled` numbers the imports in the order in which they were applied or
    undone. `base` is the highest `settled` when the preview was made; if a higher one exists, the
    preview is outdated. `plan` numbers the previews, `position` is the number of the last change
    that was written. `created_at` is the time of the upload, or of the end of reading, from which
    a preview is kept for a day. `students` counts the rows that were read, `active` the active
    students before the import.
    """

    __tablename__ = "roster_import"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    status: Mapped[str] = mapped_column(key_type(16), default=ImportStatus.READING)
    source: Mapped[str] = mapped_column(key_type(8))
    file_name: Mapped[str] = mapped_column(String(120), default="")
    account_id: Mapped[int | None] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(120))
    lang: Mapped[str] = mapped_column(key_type(8))
    whole: Mapped[bool] = mapped_column(default=False)
    holder: Mapped[str | None] = mapped_column(key_type(36))
    heartbeat: Mapped[int] = mapped_column(Id, default=0)
    tries: Mapped[int] = mapped_column(default=0)
    live: Mapped[int | None] = mapped_column(unique=True)
    base: Mapped[int] = mapped_column(Id, default=0)
    settled: Mapped[int | None] = mapped_column(Id, unique=True)
    plan: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    students: Mapped[int] = mapped_column(default=0)
    active: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    leaving: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    outdated: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(120))
    undone_by_id: Mapped[int | None] = mapped_column(Id)

    @property
    def total(self) -> int:
        """The number of students that it changes."""
        return self.added + self.changed + self.leaving

    @property
    def is_busy(self) -> bool:
        """Whether a job works on it or will."""
        return self.status in BUSY


class RosterPart(Model):
    """A part of the file (or of the API's answer) that an open import reads."""

    __tablename__ = "roster_part"
    import_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(MediumBlob)


class RosterChange(Model):
    """The change of one student by an import, or a wrong row (`line`, `reason`).

    `old` and `new` have the columns that differ; None if the student does not exist before or after
    the change. `skipped`: not written or not undone, because the student had changed meanwhile.
    """

    __tablename__ = "roster_change"
    __table_args__ = (
        Index("ix_roster_change_kind", "import_id", "kind", "number"),
        Index("ix_roster_change_idperson", "import_id", "idperson"),
    )
    import_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(key_type(8))
    idperson: Mapped[str] = mapped_column(key_type(64), default="")
    nama: Mapped[str] = mapped_column(String(160), default="")
    old: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    new: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    line: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(300))
    skipped: Mapped[bool] = mapped_column(default=False)
