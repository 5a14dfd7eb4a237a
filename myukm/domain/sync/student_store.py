"""Database access for requested students, used by lanes and by the single-student job.

A student is fetched without `If-None-Match`, so that the answer is complete. It is written as in a
run (guarded, with its ETag), in one transaction with the deletion of its request, and only if this
holder still has the request.
"""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session

from myukm.db.session import in_literals, on_commit, transaction
from myukm.domain.payment_api.fetcher import FetchPool
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import anomaly_guard, queueing, student_requests
from myukm.domain.sync import results as sync_results
from myukm.models import SyncRequest

MAX_CLAIMED = 20


class StudentStore:
    """The claimed requests of one `holder`.

    While `claimed_ids` (of requests) is not empty, the holder must call `flush_and_claim` at least
    once a second, which raises the heartbeat. `results` has the outcomes by idperson."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self.claimed_ids: set[int] = set()
        self.results: dict[str, str] = {}

    def flush_and_claim(self, answered: Sequence[Item], *, claim: bool = False) -> list[Item]:
        """Write answers; return the students to fetch: quarantined students, for a second answer,
        and newly claimed students."""
        again = self._write(answered) if answered else []
        if self.claimed_ids:
            with transaction() as session:
                session.execute(self._ours().values(heartbeat=SyncRequest.heartbeat + 1))
        return [*again, *(self.claim() if claim else [])]

    def claim(self, idperson: str | None = None) -> list[Item]:
        """Claim unclaimed requests (or only this student's) and return them as items."""
        query = select(SyncRequest.id, SyncRequest.idperson, SyncRequest.doubt)
        query = query.where(SyncRequest.holder.is_(None)).order_by(SyncRequest.id)
        if idperson is not None:
            query = query.where(SyncRequest.idperson == idperson)
        with transaction() as session:
            query = query.limit(MAX_CLAIMED).with_for_update(skip_locked=True)
            students = [_item(*row) for row in session.execute(query)]
            ids = [student.item_id for student in students]
            if ids:
                claimed = update(SyncRequest).where(in_literals(SyncRequest.id, ids))
                session.execute(claimed.values(holder=self._holder))
        self.claimed_ids.update(ids)
        return students

    def close(self) -> None:
        """Release the unfinished requests."""
        if self.claimed_ids:
            with transaction() as session:
                session.execute(self._ours().values(holder=None))
            self.claimed_ids.clear()

    def _ours(self) -> Update:
        ours = SyncRequest.holder == self._holder
        return update(SyncRequest).where(in_literals(SyncRequest.id, self.claimed_ids), ours)

    def _write(self, answered: Sequence[Item]) -> list[Item]:
        """Write answers and return the quarantined students, to be fetched once more."""
        with transaction() as session:
            ours = self._lock(session, answered)
            sync_results.take_in(session, None, ours)
            held = [item for item in ours if item.code == anomaly_guard.CODE]
            done = [item for item in ours if item.code != anomaly_guard.CODE]
            _store_doubt(session, held)
            results = {item.idperson: _finish(session, item) for item in done}
            on_commit(queueing.remove_student_jobs, tuple(item.item_id for item in done))
        self.results |= results
        self.claimed_ids -= {item.item_id for item in answered} - {item.item_id for item in held}
        return [_item(item.item_id, item.idperson, str(item.message)) for item in held]

    def _lock(self, session: Session, answered: Sequence[Item]) -> list[Item]:
        by_id = {item.item_id: item for item in answered}
        ours = (in_literals(SyncRequest.id, by_id), SyncRequest.holder == self._holder)
        query = select(SyncRequest.id).where(*ours).order_by(SyncRequest.id).with_for_update()
        return [by_id[request_id] for request_id in session.scalars(query)]


def submit(pool: FetchPool, students: Sequence[Item]) -> None:
    """Submit students to the pool; quarantined students after a pause."""
    pool.submit(student for student in students if student.doubt is None)
    doubted = (student for student in students if student.doubt is not None)
    pool.submit(doubted, delay=anomaly_guard.PAUSE.total_seconds())


def _item(request_id: int, idperson: str, doubt: str | None) -> Item:
    return Item(request_id, idperson, doubt=doubt, requested=True)


def _store_doubt(session: Session, held: Sequence[Item]) -> None:
    for item in held:
        doubted = update(SyncRequest).where(SyncRequest.id == item.item_id)
        session.execute(doubted.values(doubt=str(item.message)))


def _finish(session: Session, item: Item) -> str:
    """Delete a request, publish its outcome and return it."""
    session.execute(delete(SyncRequest).where(SyncRequest.id == item.item_id))
    result = "success" if item.new else "unchanged"
    if item.code:
        result = "failed"
    student_requests.publish(
        item.idperson, result, item.code, item.message or _default_message(result)
    )
    return result


def _default_message(result: str) -> LazyString:
    if result == "unchanged":
        return _("Data pembayaran sudah yang terbaru.")
    return _("Data pembayaran diperbarui.")
