"""Retention of imports: previews for a day, the old values of applied ones for a month."""

from datetime import timedelta

from sqlalchemy import select

from myukm.db.types import utcnow
from myukm.domain.roster import imports, planning
from myukm.extensions import db
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import BUSY, OPEN

PREVIEWS, CHANGES = timedelta(days=1), timedelta(days=30)


def prune() -> bool:
    """Delete the next old preview or portion of changes; return whether more may be left."""
    now = utcnow()
    old = (RosterImport.status.in_(OPEN), RosterImport.created_at < now - PREVIEWS)
    preview = db.session.scalar(select(RosterImport.id).where(*old).limit(1))
    if preview is not None:
        imports.withdraw(preview)
        return True
    settled = (RosterImport.status.not_in(BUSY), RosterImport.settled_at < now - CHANGES)
    has_changes = select(RosterChange.number).where(RosterChange.import_id == RosterImport.id)
    applied = select(RosterImport.id).where(*settled, has_changes.exists()).limit(1)
    import_id = db.session.scalar(applied)
    return import_id is not None and planning.clear(import_id)
