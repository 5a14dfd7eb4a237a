"""Watchdog of the sync, run by the leader every second: expires dead lanes and queues missing jobs.

Liveness needs no shared clock: a lane expires when its heartbeat stands still for
SYNC_LANE_TIMEOUT on the watchdog's monotonic clock."""

import time
from functools import cache
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select

from myukm.db.session import execute_rowcount, transaction
from myukm.domain.standstill import Standstill
from myukm.domain.sync import lifecycle, progress, queueing, run_log, standstill_reason
from myukm.domain.sync.lane_store import release_orphans
from myukm.domain.sync.standstill_log import StandstillLog
from myukm.domain.sync.student_watchdog import StudentWatchdog
from myukm.extensions import db
from myukm.models import SyncLane
from myukm.models.sync import WORKING

NO_WORKER_SECONDS, MIRROR_IDLE_SECONDS = 3.0, 10.0


class Watchdog:
    """State of the watchdog: heartbeats, a run that needs a job, the last published progress.

    A lane and the holder of a student's request have expired after `timeout` seconds without a
    heartbeat.
    """

    def __init__(self, timeout: float) -> None:
        self._lanes: Standstill[tuple[str, int]] = Standstill(timeout)
        self._students = StudentWatchdog(timeout)
        self._unserved: Standstill[int] = Standstill(NO_WORKER_SECONDS)
        self._published: dict[str, Any] = {}
        self._mirror_idle_at = 0.0

    def watch(self) -> None:
        """Run one round of checks."""
        for lane_id, run_id in self._expired_lanes():
            expire_lane(lane_id, run_id)
        run = progress.live()
        if run is not None:
            with transaction() as session:
                release_orphans(session, run.id)
            lifecycle.advance(run.id)
            if self._unserved.of({run.id: None} if needs_job(run) else {}):
                lifecycle.drive(run.id)
        self._publish()
        self._students.watch()

    def _expired_lanes(self) -> list[tuple[str, int]]:
        rows = db.session.execute(select(SyncLane.id, SyncLane.run_id, SyncLane.heartbeat)).all()
        return self._lanes.of({(row.id, row.run_id): row.heartbeat for row in rows})

    def _publish(self) -> None:
        """Publish the progress if it changed.

        Otherwise only copy it to the Valkey keys, because Valkey may have come back with older
        data; without a run this is done every `MIRROR_IDLE_SECONDS`.
        """
        now = progress.current()
        steady = {name: value for name, value in now.items() if not name.startswith("eta_")}
        if steady != self._published and progress.publish_throttled():
            self._published = steady
        elif now["run_id"] is not None or time.monotonic() >= self._mirror_idle_at:
            self._mirror_idle_at = time.monotonic() + MIRROR_IDLE_SECONDS
            progress.mirror_to_cache_keys(now)


def needs_job(run: Any) -> bool:
    """Return whether a live run has work but neither a lane nor a queued job."""
    return lifecycle.has_work(run) and not queueing.queued_ids(run.id)


def expire_lane(lane_id: str, run_id: int) -> None:
    """Expire a lane whose heartbeat stopped.

    Its items are released in a later transaction: once the deletion of the lane's row is committed,
    the lane can no longer claim.
    """
    with transaction() as session:
        if execute_rowcount(session, delete(SyncLane).where(SyncLane.id == lane_id)):
            text = _("Satu worker berhenti mendadak. Siswanya kembali menunggu.")
            run_log.append(run_id, "warning", "lane_lost", text)


# The leader's state between two rounds.
_watchdog, _standstills = cache(Watchdog), cache(StandstillLog)


def watch() -> None:
    """A periodic task of the leader: store why the run does not move, then `Watchdog.watch`."""
    if (run := progress.live()) and run.status in WORKING:
        reason = standstill_reason.store(run, progress.workers(run.id))
        _standstills().record(run, reason, stalled=standstill_reason.is_stalled(run, reason))
    _watchdog(current_app.config["SYNC_LANE_TIMEOUT"]).watch()
