"""Writes the changes of an import to the students, or undoes them, batch by batch.

Each batch is a transaction that also stores its position, so another job can continue where a dead
job stopped, and other writers wait for some milliseconds only. A student that has changed meanwhile
is skipped.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from myukm.db.deadlock_retry import retry_on_deadlock
from myukm.db.session import transaction
from myukm.db.timeouts import lift_time_limits, replan_statements
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.roster import differences, parts, settled
from myukm.domain.roster.claim import Claim
from myukm.domain.siswa import links
from myukm.extensions import db
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import END, WRITTEN, ImportStatus

BATCH, MAX_NAMED = 500, 3
# SQLite has one writer at a time: the pause lets others write between two batches.
PAUSE_SECONDS = 0.01

Report = Callable[[int, int], None]


def apply(claim: Claim, report: Report = lambda done, total: None) -> None:
    """Write all changes and end the import. `report(done, total)` is called after each batch.

    Raises `ClaimLost`.
    """
    roster_import = db.session.get_one(RosterImport, claim.import_id)
    done, total = 0, roster_import.total
    while batch := retry_on_deadlock(lambda: _step(claim, undo=False)):
        done += batch
        report(done, total)
        time.sleep(PAUSE_SECONDS)
    with transaction() as session:
        roster_import = claim.lock(session)
        activity.record(by_whom(roster_import), "siswa.import", summary(roster_import))
        settled.settle(session, roster_import, ImportStatus.APPLIED)
        parts.clear(session, roster_import.id)


def undo(claim: Claim) -> None:
    """Restore the students that the import changed, and end it. Raises `ClaimLost`.

    If any of these students has changed since, nothing is restored: the import stays applied, and
    its `error` names the students. A student who changes while the others are restored is skipped.
    """
    if touched := _touched(claim):
        with transaction() as session:
            roster_import = claim.lock(session)
            roster_import.status = ImportStatus.APPLIED
            roster_import.live = roster_import.holder = None
            roster_import.error = str(_refusal(touched))[:500]
        return
    while retry_on_deadlock(lambda: _step(claim, undo=True)):
        time.sleep(PAUSE_SECONDS)
    with transaction() as session:
        roster_import = claim.lock(session)
        activity.record(by_whom(roster_import), "siswa.import_undo", summary(roster_import))
        settled.settle(session, roster_import, ImportStatus.UNDONE)


def by_whom(roster_import: RosterImport) -> Actor:
    """Return the actor of the current change: the one who undoes the import, or who made it."""
    if roster_import.status == ImportStatus.UNDOING:
        return Actor(
            roster_import.undone_by or roster_import.actor_name, roster_import.undone_by_id
        )
    return Actor(roster_import.actor_name, roster_import.account_id)


def summary(roster_import: RosterImport) -> str:
    """Return the numbers of an import for the audit page."""
    written = f"+{roster_import.added} ~{roster_import.changed} -{roster_import.leaving}"
    return f"{roster_import.source}: {roster_import.students} siswa, {written}" + (
        f", !{roster_import.skipped}" if roster_import.skipped else ""
    )


def _step(claim: Claim, *, undo: bool) -> int:
    """Write the next batch and return how many changes it had, 0 at the end."""
    with transaction() as session:
        lift_time_limits(session.connection())
        replan_statements(session.connection())
        roster_import = claim.lock(session)
        changes = session.execute(_next_batch(roster_import, undo=undo)).all()
        if not changes:
            return 0
        skipped = differences.write(session, changes, undo=undo)
        roster_import.position = changes[-1].number
        if nims := differences.nims(changes):
            links.follow_nims(session, nims, by_whom(roster_import))
        _mark_skipped(session, roster_import, skipped)
        return len(changes)


def _next_batch(roster_import: RosterImport, *, undo: bool) -> Select[Any]:
    query = _batch(roster_import)
    if undo:
        query = query.where(RosterChange.number < roster_import.position)
        return query.order_by(RosterChange.number.desc())
    return query.where(RosterChange.number > roster_import.position).order_by(RosterChange.number)


def _batch(roster_import: RosterImport) -> Select[Any]:
    """Select a batch of the changes that apply to students; rows, because building 100,000 ORM
    objects takes longer."""
    ours = (RosterChange.import_id == roster_import.id, RosterChange.kind.in_(WRITTEN))
    return select(RosterChange.__table__).where(*ours, ~RosterChange.skipped).limit(BATCH)


def _mark_skipped(session: Session, roster_import: RosterImport, numbers: Sequence[int]) -> None:
    if numbers:
        ours = RosterChange.import_id == roster_import.id
        which = update(RosterChange).where(ours, RosterChange.number.in_(numbers))
        session.execute(which.values(skipped=True))
        roster_import.skipped += len(numbers)


def _touched(claim: Claim) -> list[Row[Any]]:
    """Return the changes whose students have changed since the import.

    Returns an empty list if an earlier job has begun the undo (its position is not `END` then),
    because that job has changed students itself.
    """
    roster_import = db.session.get_one(RosterImport, claim.import_id)
    found, last = list[Row[Any]](), 0
    query = _batch(roster_import).order_by(RosterChange.number)
    while roster_import.position == END and (
        batch := db.session.execute(query.where(RosterChange.number > last)).all()
    ):
        last = batch[-1].number
        found += differences.changed_since(db.session(), batch)
        with transaction() as session:
            claim.lock(session)
    return found


def _refusal(touched: Sequence[Row[Any]]) -> object:
    names = ", ".join(f"{one.nama} ({one.idperson})" for one in touched[:MAX_NAMED])
    return _(
        "Tidak bisa dibatalkan: %(n)d siswa sudah berubah lagi sejak impor ini (%(names)s).",
        n=len(touched),
        names=names + (", …" if len(touched) > MAX_NAMED else ""),
    )
