"""A lane's database access: claim items, write results, raise the heartbeat.

One `flush_and_claim` is one transaction, so a student's data, its outcome and the run's counters
are written together or not at all. Rows are locked in one order everywhere: items, students, run,
lane, events."""

import os
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, in_literals, transaction
from myukm.db.timeouts import LANE_LOCK_SECONDS, wait_for_locks
from myukm.domain.payment_api.metrics import RequestStats
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import etags, pausing, results, throughput
from myukm.domain.sync.anomaly_guard import SuspicionWindow
from myukm.domain.sync.request_stats import save
from myukm.models import SyncItem, SyncLane, SyncRequest, SyncRun, SyncTraffic
from myukm.models.sync import ItemStatus, Status

# In the order of the first fields of `Item`. The message is read as `Item.doubt`, because a pending
# item has a message only if its first answer was quarantined.
ITEM_COLUMNS = (
    SyncItem.id,
    SyncItem.idperson,
    SyncItem.breaker_hits,
    SyncItem.retry_after_seconds,
    SyncItem.message,
)


class LaneExpired(Exception):
    """The watchdog expired the lane because its heartbeat stopped; other lanes have its items."""


class Batch(NamedTuple):
    """The result of a turn: the run's status, the number of its lanes, the claimed items, and
    whether there are unclaimed requests for single students (see `student_store`)."""

    status: str
    workers: int
    items: Sequence[Item]
    requests: bool


class LaneStore:
    """Database access of lane `lane_id` of run `run_id`; one thread at a time.

    `stats` are the lane's request statistics so far, written in each turn.
    """

    def __init__(self, run_id: int, lane_id: str) -> None:
        self.run_id, self.lane_id = run_id, lane_id
        self._after = 0
        self._dry_run = self._answers_accepted = False
        self._suspicion_window = SuspicionWindow()
        self.stats = RequestStats()

    def register(self) -> bool:
        """Register the lane if the run is running; return whether it is."""
        with transaction() as session:
            run = session.execute(
                select(SyncRun.status, SyncRun.dry_run, SyncRun.answers_accepted)
                .where(SyncRun.id == self.run_id)
                .with_for_update()
            ).one_or_none()
            if run is None or run.status != Status.RUNNING:
                return False
            self._dry_run, self._answers_accepted = run.dry_run, run.answers_accepted
            worker = f"{socket.gethostname()}:{os.getpid()}"
            session.add(SyncLane(id=self.lane_id, run_id=self.run_id, worker=worker))
            session.add(SyncTraffic(lane_id=self.lane_id, run_id=self.run_id))
        return True

    def flush_and_claim(self, answered: Sequence[Item], limit: int) -> Batch:
        """Write answers and claim up to `limit` students. Raises `LaneExpired`."""
        with transaction() as session:
            wait_for_locks(session, LANE_LOCK_SECONDS)
            items = self._claim(session, limit) if limit else []
            written = self._write(session, answered)
            self._raise_heartbeat(session)
            save(session, self.lane_id, self.stats)
            batch, self._answers_accepted = self._batch(session, items)
        if self._suspicion_window.add(written):
            pausing.pause_suspicious(self.run_id)
        return batch

    def _batch(self, session: Session, items: Sequence[Item]) -> tuple[Batch, bool]:
        """Return the turn's result, and whether a person has accepted suspicious answers."""
        lanes = select(func.count()).where(SyncLane.run_id == self.run_id).scalar_subquery()
        requests = exists().where(SyncRequest.holder.is_(None))
        query = select(SyncRun.status, SyncRun.answers_accepted, lanes, requests)
        row = session.execute(query.where(SyncRun.id == self.run_id)).one()
        status, answers_accepted, workers, requests_waiting = row
        return Batch(status, workers, items, bool(requests_waiting)), answers_accepted

    def unregister(self, answered: Sequence[Item], unfinished: Iterable[Item]) -> None:
        """Write the last answers, release the other items, and unregister the lane."""
        with transaction() as session:
            self._write(session, answered)
            release(session, self.run_id, self.lane_id)
            save_retry_state(session, unfinished)
            session.execute(delete(SyncLane).where(SyncLane.id == self.lane_id))
            save(session, self.lane_id, self.stats)

    def _claim(self, session: Session, limit: int) -> list[Item]:
        """Claim the next pending items; after the last one start again from the first."""
        found = self._pending(session, limit)
        if len(found) < limit and self._after:
            self._after = 0
            known = {item.item_id for item in found}
            more = self._pending(session, limit - len(found))
            found += [item for item in more if item.item_id not in known]
        if found:
            session.execute(
                update(SyncItem)
                .where(in_literals(SyncItem.id, [item.item_id for item in found]))
                .values(status=ItemStatus.CLAIMED, lane_id=self.lane_id)
            )
            not_doubted = [item.idperson for item in found if item.doubt is None]
            tags = etags.usable(session, not_doubted)
            for item in found:
                item.etag = tags.get(item.idperson)
        return found

    def _pending(self, session: Session, limit: int) -> list[Item]:
        query = (
            select(*ITEM_COLUMNS)
            .where(
                SyncItem.run_id == self.run_id,
                SyncItem.status == ItemStatus.PENDING,
                SyncItem.id > self._after,
            )
            .order_by(SyncItem.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = [Item(*row) for row in session.execute(query)]
        self._after = found[-1].item_id if found else self._after
        return found

    def _write(self, session: Session, answered: Sequence[Item]) -> list[Item]:
        """Write the answers of items that the lane still holds, and return these items."""
        ours = results.lock(session, self.lane_id, answered)
        flags = {"dry_run": self._dry_run, "guarded": not self._answers_accepted}
        results.take_in(session, self.run_id, ours, **flags)
        stale = [item.item_id for item in ours if item.stale]
        if stale:
            _unclaim(session, self.run_id, in_literals(SyncItem.id, stale))
        written = [item for item in ours if not item.stale]
        if written:
            results.close(session, self.run_id, written)
            throughput.sample(session, self.run_id)
        return written

    def _raise_heartbeat(self, session: Session) -> None:
        raised = update(SyncLane).where(SyncLane.id == self.lane_id)
        if not execute_rowcount(session, raised.values(heartbeat=SyncLane.heartbeat + 1)):
            raise LaneExpired(self.lane_id)


def release(session: Session, run_id: int, lane_id: str) -> None:
    """Make the unfinished items of a lane pending again. Only the lane itself may call this,
    because another process cannot know whether the lane is claiming items at this moment."""
    _unclaim(session, run_id, SyncItem.lane_id == lane_id)


def release_orphans(session: Session, run_id: int) -> None:
    """Make items pending again whose lane no longer exists."""
    _unclaim(session, run_id, ~exists().where(SyncLane.id == SyncItem.lane_id))


def _unclaim(session: Session, run_id: int, condition: ColumnElement[bool]) -> None:
    """Make claimed items pending. Updates by primary key, because on MariaDB any other UPDATE also
    locks rows that it does not change."""
    claimed = SyncItem.status == ItemStatus.CLAIMED
    query = select(SyncItem.id).where(SyncItem.run_id == run_id, claimed, condition)
    if ids := session.scalars(query).all():
        unclaimed = update(SyncItem).where(in_literals(SyncItem.id, ids), claimed, condition)
        session.execute(unclaimed.values(status=ItemStatus.PENDING, lane_id=None))


def save_retry_state(session: Session, items: Iterable[Item]) -> None:
    """Save the retry state of open items for the lane that claims them next."""
    for item in items:
        if item.breaker_hits or item.retry_after_seconds:
            session.execute(
                update(SyncItem)
                .where(SyncItem.id == item.item_id, SyncItem.status == ItemStatus.PENDING)
                .values(
                    breaker_hits=item.breaker_hits,
                    retry_after_seconds=round(item.retry_after_seconds),
                )
            )
