"""A lane's side of the database: claim students, write what became of them, show a beat.

One `turn` is one transaction, so a student's data, its outcome and the run's counters are
written together or not at all. Rows are locked in one order everywhere: items, students, run,
lane, events.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from myukm.database import among, count_changed, utcnow, write
from myukm.domain.api.student import Outcome, Student
from myukm.domain.api.traffic import Traffic
from myukm.domain.sync import outcomes as results
from myukm.domain.sync import sync_run, sync_tags
from myukm.domain.sync.guard import Recent
from myukm.models import SyncItem, SyncLane, SyncRequest, SyncRun, SyncSample, SyncTraffic
from myukm.models.sync import ItemStatus, Status

SAMPLE_EVERY = timedelta(seconds=1)
# An item that waits has a message only when its first answer was held back.
STUDENT = (
    SyncItem.id.label("item_id"),
    SyncItem.idperson,
    SyncItem.strikes,
    SyncItem.waited,
    SyncItem.message.label("doubt"),
)


class LaneLost(Exception):
    """The lane was given up for dead; its students belong to others now."""


class Turn(NamedTuple):
    """What a lane learns at the database: the run's status, lanes at work, students to ask for,
    and whether requests for single students wait (see `student_desk`)."""

    status: str
    workers: int
    students: Sequence[Student]
    requests: bool


class Desk:
    """The database as lane `lane_id` of run `run_id` uses it; one thread at a time.

    `traffic` are the lane's sums, which it goes on counting.
    """

    def __init__(self, run_id: int, lane_id: str) -> None:
        self.run_id, self.lane_id = run_id, lane_id
        self._after = 0
        self._dry_run = self._trusted = False
        self._recent = Recent()
        self.traffic = Traffic()

    def open(self) -> bool:
        """Enter the lane, unless the run is not running (any more)."""
        with write() as session:
            run = session.execute(
                select(SyncRun.status, SyncRun.dry_run, SyncRun.trusted)
                .where(SyncRun.id == self.run_id)
                .with_for_update()
            ).one_or_none()
            if run is None or run.status != Status.RUNNING:
                return False
            self._dry_run, self._trusted = run.dry_run, run.trusted
            worker = f"{socket.gethostname()}:{os.getpid()}"
            session.add(SyncLane(id=self.lane_id, run_id=self.run_id, worker=worker))
            session.add(SyncTraffic(lane_id=self.lane_id, run_id=self.run_id))
        return True

    def turn(self, outcomes: Sequence[Outcome], want: int) -> Turn:
        """Write `outcomes` and claim up to `want` students. Raises `LaneLost`."""
        with write() as session:
            students = self._claim(session, want) if want else []
            tally = self._write(session, outcomes)
            self._beat(session)
            self.traffic.write(session, self.lane_id)
            requests = exists().where(SyncRequest.holder.is_(None))
            query = select(SyncRun.status, SyncRun.trusted, requests)
            row = session.execute(query.where(SyncRun.id == self.run_id)).one()
            status, self._trusted, asked = row
            lanes = select(func.count()).where(SyncLane.run_id == self.run_id)
            turn = Turn(status, session.scalar(lanes) or 0, students, bool(asked))
        if tally and self._recent.add(tally.held, tally.compared):
            sync_run.pause_suspicious(self.run_id)
        return turn

    def close(self, outcomes: Sequence[Outcome], unfinished: Iterable[Student]) -> None:
        """Write the last outcomes, give the other students back, and leave."""
        with write() as session:
            self._write(session, outcomes)
            release(session, self.run_id, self.lane_id)
            keep_patience(session, unfinished)
            session.execute(delete(SyncLane).where(SyncLane.id == self.lane_id))
            self.traffic.write(session, self.lane_id)

    def _claim(self, session: Session, want: int) -> list[Student]:
        """Claim the next pending students; after the last one look again from the first."""
        found = self._pending(session, want)
        if len(found) < want and self._after:
            self._after = 0
            known = {student.item_id for student in found}
            more = self._pending(session, want - len(found))
            found += [student for student in more if student.item_id not in known]
        if found:
            session.execute(
                update(SyncItem)
                .where(among(SyncItem.id, [student.item_id for student in found]))
                .values(status=ItemStatus.CLAIMED, lane_id=self.lane_id)
            )
            sure = [student.idperson for student in found if student.doubt is None]
            tags = sync_tags.fresh(session, sure)
            for student in found:
                student.etag = tags.get(student.idperson)
        return found

    def _pending(self, session: Session, limit: int) -> list[Student]:
        query = (
            select(*STUDENT)
            .where(
                SyncItem.run_id == self.run_id,
                SyncItem.status == ItemStatus.PENDING,
                SyncItem.id > self._after,
            )
            .order_by(SyncItem.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = [Student(**row._mapping) for row in session.execute(query)]
        self._after = found[-1].item_id if found else self._after
        return found

    def _write(self, session: Session, outcomes: Sequence[Outcome]) -> results.Tally | None:
        """Write those outcomes whose items are still ours, and count exactly these."""
        ours = results.still_claimed(session, self.lane_id, outcomes)
        again = sync_tags.outdated(session, ours.values())
        for item_id in again:
            del ours[item_id]
        if again:
            _free(session, self.run_id, among(SyncItem.id, again))
        if not ours:
            return None
        flags = {"dry_run": self._dry_run, "guarded": not self._trusted}
        tally = results.record(session, self.run_id, ours, **flags)
        results.count(session, self.run_id, tally)
        sample(session, self.run_id)
        return tally

    def _beat(self, session: Session) -> None:
        beaten = update(SyncLane).where(SyncLane.id == self.lane_id)
        if not count_changed(session, beaten.values(beat=SyncLane.beat + 1)):
            raise LaneLost(self.lane_id)


def has_pending(session: Session, run_id: int) -> bool:
    """Return whether the run has students that nobody has claimed."""
    waiting = exists().where(SyncItem.run_id == run_id, SyncItem.status == ItemStatus.PENDING)
    return bool(session.scalar(select(waiting)))


def release(session: Session, run_id: int, lane_id: str) -> None:
    """Make the unfinished students of a lane pending again; only the lane itself may ask."""
    _free(session, run_id, SyncItem.lane_id == lane_id)


def release_orphans(session: Session, run_id: int) -> None:
    """Make students pending again whose lane is no more."""
    _free(session, run_id, ~exists().where(SyncLane.id == SyncItem.lane_id))


def _free(session: Session, run_id: int, whose: ColumnElement[bool]) -> None:
    """Changed by their keys: an UPDATE that searches would lock others' rows on MariaDB."""
    claimed = SyncItem.status == ItemStatus.CLAIMED
    query = select(SyncItem.id).where(SyncItem.run_id == run_id, claimed, whose)
    if ids := session.scalars(query).all():
        free = update(SyncItem).where(among(SyncItem.id, ids), claimed, whose)
        session.execute(free.values(status=ItemStatus.PENDING, lane_id=None))


def keep_patience(session: Session, students: Iterable[Student]) -> None:
    """Remember what open students have behind them for the lane that takes them next."""
    for student in students:
        if student.strikes or student.waited:
            session.execute(
                update(SyncItem)
                .where(SyncItem.id == student.item_id, SyncItem.status == ItemStatus.PENDING)
                .values(strikes=student.strikes, waited=round(student.waited))
            )


def sample(session: Session, run_id: int) -> None:
    """Note the run's counters, at most once a second: its chart and its rate come from that."""
    last = session.scalar(select(func.max(SyncSample.at)).where(SyncSample.run_id == run_id))
    now = utcnow()
    if last is not None and abs(now - last) < SAMPLE_EVERY:
        return
    run = session.execute(select(SyncRun.success, SyncRun.failed).where(SyncRun.id == run_id)).one()
    session.add(
        SyncSample(run_id=run_id, at=now, processed=run.success + run.failed, failed=run.failed)
    )
