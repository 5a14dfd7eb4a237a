"""Retention of imports: previews for a day, the old values of applied ones for a month."""

from datetime import timedelta

from sqlalchemy import func, select

from myukm.db.types import utcnow
from myukm.domain.roster import imports, planning
from myukm.extensions import db
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import BUSY, CHANGES_KEPT, READ

PREVIEWS_KEPT = timedelta(days=1)


def prune() -> bool:
    """Delete the next old preview or portion of changes; return whether more may be left."""
    now = utcnow()
    old = (RosterImport.status.in_(READ), RosterImport.created_at < now - PREVIEWS_KEPT)
    preview = db.session.scalar(select(RosterImport.id).where(*old).limit(1))
    if preview is not None:
        imports.withdraw(preview)
        return True
    settled = (RosterImport.status.not_in(BUSY), RosterImport.settled_at < now - CHANGES_KEPT)
    has_changes = select(RosterChange.number).where(RosterChange.import_id == RosterImport.id)
    applied = select(RosterImport.id).where(*settled, has_changes.exists()).limit(1)
    import_id = db.session.scalar(applied) or _find_orphaned_changes()
    return import_id is not None and planning.clear(import_id)


def _find_orphaned_changes() -> int | None:
    """Return the id of the next deleted import that still has changes, because its withdrawal was
    interrupted. Runs one query per import, because imports are few but changes may be millions."""
    last = 0
    while True:
        later = select(func.min(RosterChange.import_id)).where(RosterChange.import_id > last)
        found = db.session.scalar(later)
        if found is None:
            return None
        if not db.session.scalar(select(RosterImport.id).where(RosterImport.id == found)):
            return found
        last = found
