"""Retention of runs: of an old run only its sums, failed items and changes stay."""

from sqlalchemy import select, update

from myukm.db.session import delete_some, transaction
from myukm.extensions import db
from myukm.models import SyncItem, SyncRun, SyncSample
from myukm.models.sync import ItemStatus

FULL_RUNS_KEPT, CHUNK = 20, 2000


def prune() -> bool:
    """Delete the next rows of the oldest run that is not pruned yet; return whether more may be
    left."""
    run_id = _next_to_prune()
    if run_id is None:
        return False
    with transaction() as session:
        items = (SyncItem.run_id == run_id) & (SyncItem.status != ItemStatus.FAILED)
        found = delete_some(session, SyncItem, items, CHUNK)
        found += delete_some(session, SyncSample, SyncSample.run_id == run_id, CHUNK)
        if not found:
            session.execute(update(SyncRun).where(SyncRun.id == run_id).values(pruned=True))
    return True


def _next_to_prune() -> int | None:
    """Return the oldest run that is not pruned and not among the newest `FULL_RUNS_KEPT`."""
    newest = select(SyncRun.id).order_by(SyncRun.id.desc())
    oldest_kept = db.session.scalar(newest.offset(FULL_RUNS_KEPT - 1).limit(1))
    if oldest_kept is None:
        return None
    due = (SyncRun.id < oldest_kept, ~SyncRun.pruned, SyncRun.live.is_(None))
    return db.session.scalar(select(SyncRun.id).where(*due).order_by(SyncRun.id).limit(1))
