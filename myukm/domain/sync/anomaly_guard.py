"""Anomaly guard: quarantines answers that lower a student's amounts a lot.

A quarantined item has the status `held`: nothing is written, and it counts as pending. If there are
many such items, the run pauses and asks a person. If there are few, each of these students is
fetched once more, and the second answer is believed only if it equals the first. Until the second
answer is written, the item's message says what the first answer would have taken away.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, in_literals, transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.work_item import Item
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import OPEN, ItemStatus, Status

CODE = "suspicious_api"
WINDOW, MAX_EXAMPLES, CHUNK = 200, 10, 5_000
# Pause before a student is fetched once more, in which a short fault of the API may end.
PAUSE = timedelta(seconds=1)


class SuspicionWindow:
    """Which of a lane's last answers about students with stored data were suspicious."""

    def __init__(self) -> None:
        self._answers: deque[bool] = deque(maxlen=WINDOW)

    def add(self, items: Iterable[Item]) -> bool:
        """Add written items; return whether the run must pause and ask a person."""
        suspicious = [item.code == CODE for item in items if item.compared]
        self._answers.extend(suspicious)
        return any(suspicious) and too_many(sum(self._answers), len(self._answers))


def too_many(suspicious_count: int, compared: int) -> bool:
    """Return whether `GUARD_SHARE` or more of at least `GUARD_MIN` answers are suspicious."""
    share, minimum = current_app.config["GUARD_SHARE"], current_app.config["GUARD_MIN"]
    return bool(share and compared >= minimum and suspicious_count >= share * compared)


def count_quarantined(run_id: int) -> int:
    """Return the number of quarantined students of the run."""
    query = select(func.count()).where(
        SyncItem.run_id == run_id, SyncItem.status == ItemStatus.HELD
    )
    return db.session.scalar(query) or 0


def only_quarantined_left(run_id: int) -> bool:
    """Return whether all open students of the run are quarantined."""
    query = select(SyncItem.id).where(SyncItem.run_id == run_id, SyncItem.status.in_(OPEN))
    return db.session.scalar(query.limit(1)) is None


def must_wait(run_id: int) -> bool:
    """Return whether only quarantined students are left and `PAUSE` is not over yet."""
    query = select(func.max(SyncItem.finished_at)).where(
        SyncItem.run_id == run_id, SyncItem.status == ItemStatus.HELD
    )
    last = db.session.scalar(query)
    # `abs`, because the time may come from a machine whose clock is ahead.
    return last is not None and only_quarantined_left(run_id) and abs(utcnow() - last) < PAUSE


def examples(run_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the first quarantined students: idperson, nama, message, translations."""
    query = (
        select(SyncItem.idperson, Siswa.nama, SyncItem.message, SyncItem.translations)
        .outerjoin(Siswa, Siswa.idperson == SyncItem.idperson)
        .where(SyncItem.run_id == run_id, SyncItem.status == ItemStatus.HELD)
        .order_by(SyncItem.id)
        .limit(MAX_EXAMPLES)
    )
    return db.session.execute(query).all()


def release(run_id: int, *, trusted: bool) -> None:
    """Make the quarantined items of a running run pending again, in short transactions.

    `trusted`: a person accepted the answers, so the items' messages (`Item.doubt`) are deleted.
    """
    values: dict[str, Any] = {"status": ItemStatus.PENDING, "finished_at": None}
    if trusted:
        values |= {"code": None, "message": None, "translations": None}
    more = True
    while more:
        with transaction() as session:
            more = _release_chunk(session, run_id, values)


def _release_chunk(session: Session, run_id: int, values: Mapping[str, Any]) -> bool:
    running = select(SyncRun.id).where(SyncRun.id == run_id, SyncRun.status == Status.RUNNING)
    which = (SyncItem.run_id == run_id, SyncItem.status == ItemStatus.HELD)
    query = select(SyncItem.id).where(*which, SyncItem.run_id.in_(running))
    ids = session.scalars(query.order_by(SyncItem.id).limit(CHUNK)).all()
    if not ids:
        return False
    released = update(SyncItem).where(in_literals(SyncItem.id, ids), *which)
    return execute_rowcount(session, released.values(values)) > 0
