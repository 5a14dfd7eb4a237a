"""Which backups were verified (restored as a trial) and which failed: entries of the audit trail,
which the doctor reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Activity
from myukm.ops.backup_archive import Manifest

VERIFIED, FAILED = "backup.proved", "backup.failed"  # as stored rows have them
# Older entries are not searched, because the doctor searches often.
MAX_AGE = timedelta(days=60)


@dataclass(frozen=True)
class BackupEntry:
    """An entry about a backup: written `at`; `about` is its file and, if it failed, why; `made_at`
    is when a verified backup was made, None for a failed one."""

    at: datetime
    about: str
    made_at: datetime | None


def record_verified(actor: Actor, path: Path, manifest: Manifest) -> None:
    """Record that a backup was restored into a scratch database, or for good."""
    with transaction():
        activity.record(actor, VERIFIED, str(path), detail=manifest.made_at)


def record_failure(actor: Actor, path: Path, why: str) -> None:
    """Record that a backup could not be made or restored."""
    with transaction():
        activity.record(actor, FAILED, f"{path}: {why}")


def newest(action: str) -> BackupEntry | None:
    """Return the newest entry of this action (`VERIFIED`: that about the newest backup, because an
    old backup may be verified again); None if there is no entry."""
    query = select(Activity).where(Activity.at > utcnow() - MAX_AGE, Activity.action == action)
    latest = (Activity.detail.desc(), Activity.at.desc(), Activity.id.desc())
    row = db.session.scalar(query.order_by(*latest).limit(1))
    if row is None:
        return None
    return BackupEntry(
        row.at, row.subject, datetime.fromisoformat(row.detail) if row.detail else None
    )
