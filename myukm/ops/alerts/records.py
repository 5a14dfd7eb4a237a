"""The open alerts: in this process, with a copy in Valkey for the process that polls next. They are
written to the database as soon as it works.
"""

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import msgspec
from redis.exceptions import RedisError
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.push import staff
from myukm.domain.sync import progress, run_log
from myukm.extensions import db, valkey
from myukm.live import event_log
from myukm.models import Alert
from myukm.sentences import stored_sentence

KEY = "myukm:open-alerts"
KEY_LENGTH, SAVE_AGAIN_SECONDS = 64, 30.0
# This finding is also written to the run's log, because treasurers see no alerts. The run itself
# logs why it is paused or stalled, and each failed student, but not that many students failed.
RUN_LOG_CODE = "many_students_failed"


@dataclass(frozen=True)
class Record:
    """An alert. `server` and `check` are the finding's (empty if unknown), `extent` is how much is
    affected, `sent_at` when the alert was sent last (seconds since 1970), `translations` as
    `in_each_language` of `myukm.sentences` returns them."""

    key: str
    code: str
    level: str
    message: str
    cure: str
    since: str
    server: str
    extent: int
    sent_at: float
    resolved_at: str | None = None
    translations: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the alert as the event carries it."""
        return {
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "since": self.since,
            "resolved": self.resolved_at is not None,
            "cure": self.cure,
            "translations": self.translations,
        }


class Records:
    """The open alerts by key, and the changes that are not in the database yet, in order."""

    def __init__(self) -> None:
        self.open: dict[str, Record] = {}
        self._unstored: list[Record] = []
        self._saved: dict[str, str] | None = None
        self._save_again_at = 0.0

    def put(self, record: Record) -> None:
        """Open or change an alert."""
        self.open[record.key] = record
        self._unstored.append(record)

    def resolve(self, key: str) -> Record:
        """End an alert and return it."""
        record = replace(self.open.pop(key), resolved_at=to_iso8601(utcnow()))
        self._unstored.append(record)
        return record

    def load_rows(self) -> None:
        """Load the alerts that are open in the database, except those that changed here."""
        changed = {record.key for record in self._unstored}
        rows = db.session.scalars(select(Alert).where(Alert.open.is_not(None)))
        loaded = {str(row.open): _from_row(row) for row in rows if row.open not in changed}
        self.open = loaded | self.open

    def load_copy(self) -> None:
        """Load the alerts that another process copied to Valkey. Call `load_rows` before, if the
        database works, so that only alerts without a row are stored later.

        Unknown fields, which a process of a newer version may have written, are ignored, and so is
        a copy without a needed field, as a much older version wrote it: alerts without a row then
        open again.
        """
        with contextlib.suppress(RedisError, msgspec.DecodeError):
            copy = cast(dict[bytes, bytes], valkey().hgetall(KEY))
            loaded = [msgspec.json.decode(text, type=Record) for text in copy.values()]
            self._unstored += [each for each in loaded if each.key not in self.open]
            self.open |= {record.key: record for record in loaded}

    def save(self) -> None:
        """Copy the open alerts to Valkey when they changed, and again every `SAVE_AGAIN_SECONDS`,
        because Valkey may have lost them."""
        copies = {key: json.dumps(asdict(each)) for key, each in self.open.items()}
        if copies == self._saved and time.monotonic() < self._save_again_at:
            return
        with contextlib.suppress(RedisError), valkey().pipeline() as pipe:
            pipe.delete(KEY)
            if copies:
                pipe.hset(KEY, mapping=copies)  # type: ignore[arg-type]
            pipe.execute()
            self._saved, self._save_again_at = copies, time.monotonic() + SAVE_AGAIN_SECONDS

    def store(self) -> None:
        """Write the changes to the database, with their events."""
        if not (changes := list(self._unstored)):
            return
        with transaction() as session:
            for record in changes:
                row = session.scalar(select(Alert).where(Alert.open == record.key))
                if row is None:
                    row = Alert(code=record.code, since=datetime.fromisoformat(record.since))
                    session.add(row)
                elif not record.resolved_at and row.level == record.level:
                    continue  # a reminder
                row.level, row.message, row.cure = record.level, record.message, record.cure
                row.translations = dict(record.translations)
                row.open = None if record.resolved_at else record.key
                row.resolved_at = _moment(record.resolved_at)
                session.flush()
                _append_events(row.id, record)
                if not record.resolved_at:
                    staff.put(session, staff.ALERT, row.id)
        del self._unstored[: len(changes)]


def _append_events(alert_id: int, record: Record) -> None:
    event_log.append("alert", "alert", {"id": alert_id, **record.as_json()})
    run = progress.live() if record.code == RUN_LOG_CODE else None
    if run is not None and record.resolved_at is None:
        run_log.append(run.id, "error", record.code, stored_sentence(record, "message"))


def recent(limit: int) -> Sequence[Alert]:
    """Return at most `limit` alerts: first the open ones, then the latest."""
    query = select(Alert).order_by(Alert.resolved_at.is_not(None), Alert.id.desc())
    return db.session.scalars(query.limit(limit)).all()


def _from_row(row: Alert) -> Record:
    since = str(to_iso8601(row.since))
    sent_at = row.since.timestamp()
    return Record(
        str(row.open),
        row.code,
        row.level,
        row.message,
        row.cure or "",
        since,
        "",
        1,
        sent_at,
        translations=row.translations or {},
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
