"""What the leader does for requested students: no request stays with a dead holder, or alone."""

from sqlalchemy import select

from myukm.domain.sync import student_requests, sync_queue
from myukm.domain.sync.stillness import Stillness
from myukm.extensions import db
from myukm.models import SyncRequest

DEAD_SECONDS, LONELY_SECONDS = 15.0, 3.0


class StudentWatcher:
    """What one process saw of the requests."""

    def __init__(self) -> None:
        self._held: Stillness[tuple[int, str]] = Stillness(DEAD_SECONDS)
        self._lonely: Stillness[int] = Stillness(LONELY_SECONDS)

    def watch(self) -> None:
        """Look after all requests once."""
        columns = (SyncRequest.id, SyncRequest.idperson, SyncRequest.holder, SyncRequest.beat)
        rows = db.session.execute(select(*columns)).all()
        beats = {(row.id, row.holder): row.beat for row in rows if row.holder}
        for dead in self._held.of(beats):
            student_requests.bury(*dead, beats[dead])
        free = {row.id: row.idperson for row in rows if not row.holder}
        lonely = {key: None for key in free if not sync_queue.student_waits(key)}
        for key in self._lonely.of(lonely):
            sync_queue.queue_student(key, free[key])
