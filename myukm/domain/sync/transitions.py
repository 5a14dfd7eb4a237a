"""Status transitions of a run. `move` is the only way to change a status, and follows the table
`SyncRun.TRANSITIONS`."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.sync import progress, queueing
from myukm.models import SyncRun
from myukm.models.sync import LIVE, WORKING, Status
from myukm.sentences import in_each_language


def move(
    session: Session,
    run_id: int,
    to: Status,
    action: str | None = None,
    **values: Any,
) -> bool:
    """Move the run to status `to`, inside `transaction()`; return whether the table allowed it.

    `values` are other columns to set; without a `reason` (a lazy sentence) the reason is cleared.
    Records `action` as done by the program. After the commit the progress is published, and queued
    jobs of a run that no longer works are removed. If the process dies before, the watchdog
    publishes, and such a job ends by itself.
    """
    now = utcnow()
    values = {"reason_code": None, **values, **in_each_language(reason=values.get("reason"))}
    values |= {} if to in LIVE else {"live": None, "finished_at": now}
    allowed = (SyncRun.id == run_id, SyncRun.status.in_(sources_of(to)))
    moved = update(SyncRun).where(*allowed).values(status=to, last_progress_at=now, **values)
    if not execute_rowcount(session, moved):
        return False
    if action:
        activity.record_by_program(run_id, action)
    if to not in WORKING:
        on_commit(queueing.remove_queued, run_id)
    on_commit(progress.publish)
    return True


def sources_of(to: Status) -> list[Status]:
    """Return the statuses from which a run may go to `to`."""
    return [status for status, targets in SyncRun.TRANSITIONS.items() if to in targets]
