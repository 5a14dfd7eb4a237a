"""What the leader does for the sync every second: nothing that was begun stays undone.

Whether a lane lives is judged without clocks: who sees the same beat for so long, by its own
monotonic clock, declares it dead.
"""

import time
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select

from myukm.database import count_changed, write
from myukm.domain.sync import progress, sync_log, sync_queue, sync_run
from myukm.domain.sync.lane_desk import has_pending, release_orphans
from myukm.domain.sync.stillness import Stillness
from myukm.domain.sync.student_watch import StudentWatcher
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.models import SyncLane
from myukm.models.sync import Status

DEAD_SECONDS, LONELY_SECONDS = 15.0, 3.0


class Watcher:
    """What one process saw: beats, since when nobody cares for a run, what it told last."""

    def __init__(self) -> None:
        self._lanes: Stillness[tuple[str, int]] = Stillness(DEAD_SECONDS)
        self._students = StudentWatcher()
        self._lonely: tuple[int, float] | None = None
        self._told: dict[str, Any] = {}

    def watch(self) -> None:
        """Look after everything once."""
        for lane_id, run_id in self._dead_lanes():
            bury(lane_id, run_id)
        run = sync_run.live()
        if run is not None:
            with write() as session:
                release_orphans(session, run.id)
            sync_run.advance(run.id)
            self._see_that_somebody_works(run)
        self._tell()
        self._students.watch()

    def _dead_lanes(self) -> list[tuple[str, int]]:
        rows = db.session.execute(select(SyncLane.id, SyncLane.run_id, SyncLane.beat)).all()
        return self._lanes.of({(row.id, row.run_id): row.beat for row in rows})

    def _see_that_somebody_works(self, run: Any) -> None:
        """Queue the run's next job when it needs one and none has waited for a moment."""
        if not needs_job(run):
            self._lonely = None
            return
        now = time.monotonic()
        if self._lonely is None or self._lonely[0] != run.id:
            self._lonely = (run.id, now)
        elif now - self._lonely[1] >= LONELY_SECONDS and sync_run.queue_next(run.id):
            self._lonely = None

    def _tell(self) -> None:
        """Mirror the progress, and send it when it is not what was last seen here."""
        now = progress.current()
        steady = {name: value for name, value in now.items() if not name.startswith("eta_")}
        if steady != self._told and progress.tell():
            self._told = steady
        else:
            progress.mirror(now)


def needs_job(run: Any) -> bool:
    """Return whether a live run has work that no job in the queue will take up."""
    if run.status == Status.RUNNING:
        needs = has_pending(db.session(), run.id)
    else:
        needs = run.status == Status.QUEUED
    return needs and not sync_queue.waiting(run.id)


def bury(lane_id: str, run_id: int) -> None:
    """Give up a lane that shows no sign of life.

    Its students are freed in a later transaction: once the lane's row is gone for all to see, no
    turn of it can claim any more.
    """
    with write() as session, campus_language():
        if count_changed(session, delete(SyncLane).where(SyncLane.id == lane_id)):
            text = _("Satu worker berhenti mendadak. Siswanya kembali menunggu.")
            sync_log.tell(run_id, "warning", "lane_lost", text)


_watcher = Watcher()


def watch() -> None:
    """The leader's duty; see `Watcher`."""
    _watcher.watch()
