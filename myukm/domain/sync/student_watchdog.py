"""Watchdog of requested students, run by the leader: releases requests of dead holders and queues
missing jobs."""

from sqlalchemy import select

from myukm.domain.standstill import Standstill
from myukm.domain.sync import queueing, student_requests
from myukm.extensions import db
from myukm.models import SyncRequest

NO_WORKER_SECONDS = 3.0


class StudentWatchdog:
    """State of the watchdog in one process: a holder is dead after `timeout` seconds without a
    heartbeat."""

    def __init__(self, timeout: float) -> None:
        self._held: Standstill[tuple[int, str]] = Standstill(timeout)
        self._unserved: Standstill[int] = Standstill(NO_WORKER_SECONDS)

    def watch(self) -> None:
        """Run one round of checks."""
        columns = (SyncRequest.id, SyncRequest.idperson, SyncRequest.holder, SyncRequest.heartbeat)
        rows = db.session.execute(select(*columns)).all()
        heartbeats = {(row.id, row.holder): row.heartbeat for row in rows if row.holder}
        for dead in self._held.of(heartbeats):
            student_requests.expire_holder(*dead, heartbeats[dead])
        unclaimed = {row.id: row.idperson for row in rows if not row.holder}
        unserved = {key: None for key in unclaimed if not queueing.is_student_queued(key)}
        for key in self._unserved.of(unserved):
            queueing.queue_student(key, unclaimed[key])
