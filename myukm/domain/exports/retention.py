"""Retention of exports: they are kept for a day after their end."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Export, ExportPart
from myukm.models.export import ExportState

KEPT = timedelta(days=1)
PORTION = 16  # parts per transaction


def expires_at(export: Export) -> datetime | None:
    """Return when an export is deleted; None while it is being written."""
    return export.finished_at and export.finished_at + KEPT


def prune() -> bool:
    """Delete the next parts of a deleted export; if it has none, its row. Expired exports are
    deleted first, so that nobody begins to download one with missing parts. Return whether
    anything may be left."""
    with transaction() as session:
        deleted = Export.state == ExportState.DELETED
        expired = update(Export).where(Export.finished_at < utcnow() - KEPT, ~deleted)
        session.execute(expired.values(state=ExportState.DELETED))
        export_id = session.scalar(select(Export.id).where(deleted).limit(1))
        if export_id is None:
            return False
        parts = select(ExportPart.number).where(ExportPart.export_id == export_id)
        numbers = session.scalars(parts.limit(PORTION)).all()
        if numbers:
            some = (ExportPart.export_id == export_id, ExportPart.number.in_(numbers))
            session.execute(delete(ExportPart).where(*some))
        else:
            session.execute(delete(Export).where(Export.id == export_id))
    return True
