"""Previews: what an import would change, stored as `RosterChange` rows; students stay unchanged."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.roster import differences, leaving, settled
from myukm.domain.roster.claim import Claim
from myukm.domain.roster.reader import Problem, Reader
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import RosterChange, Siswa
from myukm.models.roster import ChangeKind, ImportStatus

BATCH, MAX_REASON = 1000, 300
COUNTED = {
    "added": ChangeKind.NEW,
    "changed": ChangeKind.CHANGED,
    "leaving": ChangeKind.LEAVING,
    "wrong": ChangeKind.WRONG,
}

Row = dict[str, Any]


def plan(claim: Claim, reader: Reader, after_batch: Callable[[], None] = lambda: None) -> None:
    """Compare all rows with the students and store the changes; the import is then ready.

    Each batch is a transaction of its own, so that other writers wait for some milliseconds only;
    `after_batch` is called after it, for a command's progress.
    Raises `Invalid` if the source is unusable or names no student, `ClaimLost`.
    """
    base = _begin(claim)
    numbers = iter(range(1, 2**31))
    students = reader.students()
    while batch := list(islice(students, BATCH)):
        found = differences.compare(db.session(), batch)
        with transaction() as session:
            claim.lock(session)
            _store(session, claim, numbers, found)
        after_batch()
    if not reader.count:
        if reader.problems:
            raise reader.first_error()
        raise Invalid(_("Tidak ada siswa di dalamnya."), code="no_students")
    _drop_rejected(claim, sorted(reader.rejected))
    _add_leaving(claim, reader, numbers)
    _add_problems(claim, reader.problems, numbers)
    _finish(claim, reader.count, base)


def clear(import_id: int, claim: Claim | None = None, limit: int = 10 * BATCH) -> bool:
    """Delete up to `limit` stored changes of an import; return whether more may be left.

    With a `claim` it raises `ClaimLost` if the claim is lost, because then the changes belong to
    another job.
    """
    with transaction() as session:
        if claim:
            claim.lock(session)
        first = select(func.min(RosterChange.number)).where(RosterChange.import_id == import_id)
        start = session.scalar(first)
        if start is None:
            return False
        ours = RosterChange.import_id == import_id
        session.execute(delete(RosterChange).where(ours, RosterChange.number < start + limit))
    return True


def _begin(claim: Claim) -> int:
    """Delete the changes of an earlier preview. Return the newest number of an applied or undone
    import, by which the preview is later known to be outdated (`RosterImport.base`)."""
    while clear(claim.import_id, claim):
        pass
    with transaction() as session:
        claim.lock(session)
        return settled.newest(session)


def _store(session: Session, claim: Claim, numbers: Iterator[int], rows: Sequence[Row]) -> None:
    if rows:
        about = {"import_id": claim.import_id, "line": None, "reason": None, "skipped": False}
        stored = [{**about, **row, "number": next(numbers)} for row in rows]
        session.execute(insert(RosterChange), stored)


def _drop_rejected(claim: Claim, ids: Sequence[str]) -> None:
    """Delete the changes of students who have a wrong row later in the source."""
    for start in range(0, len(ids), BATCH):
        with transaction() as session:
            claim.lock(session)
            ours = (RosterChange.import_id == claim.import_id,)
            wrong = RosterChange.idperson.in_(ids[start : start + BATCH])
            session.execute(delete(RosterChange).where(*ours, wrong))


def _add_leaving(claim: Claim, reader: Reader, numbers: Iterator[int]) -> None:
    with transaction() as session:
        whole = claim.lock(session).whole and reader.has_every_id
    leavers = leaving.leavers(db.session(), reader.named) if whole else []
    for start in range(0, len(leavers), BATCH):
        with transaction() as session:
            claim.lock(session)
            _store(session, claim, numbers, differences.leaving(leavers[start : start + BATCH]))


def _add_problems(claim: Claim, problems: Sequence[Problem], numbers: Iterator[int]) -> None:
    rows = [
        {
            **{"kind": ChangeKind.WRONG, "old": None, "new": None, "line": problem.line},
            **{"idperson": problem.idperson[:64], "nama": problem.nama},
            "reason": str(problem.reason)[:MAX_REASON],
        }
        for problem in problems
    ]
    for start in range(0, len(rows), BATCH):
        with transaction() as session:
            claim.lock(session)
            _store(session, claim, numbers, rows[start : start + BATCH])


def _finish(claim: Claim, students: int, base: int) -> None:
    counts = select(RosterChange.kind, func.count()).where(
        RosterChange.import_id == claim.import_id
    )
    with transaction() as session:
        ready = claim.lock(session)
        found = dict(session.execute(counts.group_by(RosterChange.kind)).all())
        for name, kind in COUNTED.items():
            setattr(ready, name, found.get(kind, 0))
        ready.active = session.scalar(select(func.count()).where(Siswa.active)) or 0
        ready.students, ready.base, ready.position = students, base, 0
        ready.status, ready.holder, ready.tries = ImportStatus.READY, None, 0
        ready.created_at = utcnow()
        ready.plan += 1
