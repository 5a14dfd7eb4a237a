"""Write results: students' data, items, the run's counters."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from flask_babel import gettext as _
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.db.types import utcnow
from myukm.domain.payment_api.parser import Payments
from myukm.domain.payment_api.work_item import Result
from myukm.domain.sync import anomaly_guard, etags, mismatches, payment_history, run_log, suspicion
from myukm.i18n import campus_language
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus

Changed = dict[str, tuple[int, Payments]]


class Written(NamedTuple):
    """What was written of students (`changed`), and what became of all; `compared` are those of
    whom we had data and who were asked for the first time."""

    outcomes: Sequence[Result]
    changed: Changed
    compared: int


class WriteResult(NamedTuple):
    """The outcomes that were written, by status, and how many were `compared` (see `Written`);
    `held` were held back, of `mismatched` students the figures disagree."""

    outcomes: Sequence[Result]
    numbers: Counter[ItemStatus]
    compared: int
    mismatched: int

    @property
    def quarantined(self) -> int:
        return self.numbers[ItemStatus.HELD]


def lock_claimed(session: Session, lane_id: str, outcomes: Sequence[Result]) -> dict[int, Result]:
    """Return, by item, the outcomes whose item this lane still holds, and lock these items."""
    if not outcomes:
        return {}
    by_item = {outcome.item_id: outcome for outcome in outcomes}
    query = (
        select(SyncItem.id)
        .where(
            in_literals(SyncItem.id, by_item),
            SyncItem.lane_id == lane_id,
            SyncItem.status == ItemStatus.CLAIMED,
        )
        .order_by(SyncItem.id)
        .with_for_update()
    )
    return {item_id: by_item[item_id] for item_id in session.scalars(query)}


def record(
    session: Session, run_id: int, claimed: dict[int, Result], *, dry_run: bool, guarded: bool
) -> WriteResult:
    """Take the students' data in as `take_in` does, and close their items."""
    outcomes = list(claimed.values())
    written = take_in(session, run_id, outcomes, dry_run=dry_run, guarded=guarded)
    numbers = _close_outcomes(session, written.outcomes, written.changed)
    mismatched = mismatches.count(session, written.outcomes)
    return WriteResult(written.outcomes, numbers, written.compared, mismatched)


def take_in(
    session: Session,
    run_id: int | None,
    outcomes: Sequence[Result],
    *,
    dry_run: bool = False,
    guarded: bool = True,
) -> Written:
    """Store the students' data (not in a dry run) and note what changes: the one way in.

    `guarded`: answers that take much away are held back (see `suspicion`).
    """
    answers = {o.idperson: o.payments for o in outcomes if o.code is None}
    changed, known, fetched = changes(session, answers)
    before = payment_history.known(session, fetched)
    new = {idperson for idperson, (key, _new) in changed.items() if key not in before}
    compared = sum(o.doubt is None and o.idperson in known.keys() - new for o in outcomes)
    suspects = suspicion.suspicious(before, changed) if guarded and not dry_run else {}
    judged = [_with_guard_verdict(outcome, known, suspects) for outcome in outcomes]
    refused = {outcome.idperson for outcome in judged if outcome.code}
    changed = {idperson: data for idperson, data in changed.items() if idperson not in refused}
    payment_history.record(session, run_id, changed, before, dry_run=dry_run)
    if not dry_run:
        store(session, changed)
        same = known.keys() - changed.keys() - refused
        etags.save(session, {known[idperson]: answers[idperson] for idperson in same})
    return Written(judged, changed, compared)


def changes(
    session: Session, answers: Mapping[str, Payments | None]
) -> tuple[Changed, dict[str, int], list[int]]:
    """Return the students whose data differs from what we have (with their row's id), the rows
    of all that exist, which are locked, and the changed rows that have data already.

    An answer None says that nothing changed. A row may have data without a digest: an upgrade
    that changes what is digested leaves none.
    """
    filled = Siswa.pembayaran.is_not(None).label("filled")
    columns = (Siswa.id, Siswa.idperson, Siswa.digest, filled)
    query = select(*columns).where(Siswa.idperson.in_(answers))
    rows = session.execute(query.order_by(Siswa.id).with_for_update()).all() if answers else []
    changed = {
        row.idperson: (row.id, new)
        for row in rows
        if (new := answers[row.idperson]) is not None and row.digest != new.digest
    }
    fetched = [row.id for row in rows if row.idperson in changed and row.filled]
    return changed, {row.idperson: row.id for row in rows}, fetched


def store(session: Session, changed: Changed) -> None:
    """Write the new data of students; `synced_at` is when what we have was fetched."""
    if not changed:
        return
    now = utcnow()
    rows: list[dict[str, Any]] = [
        {
            "key": key,
            "pembayaran": new.text,
            "saldo": new.saldo,
            **new.owed._asdict(),
            "lunas": new.owed.lunas,
            "digest": new.digest,
            "synced_at": now,
            "etag": etags.with_api_prefix(new.etag),
            "etag_at": now,
        }
        for key, new in changed.values()
    ]
    table = cast(Table, Siswa.__table__)
    session.execute(update(table).where(table.c.id == bindparam("key")), rows)


def count(session: Session, run_id: int, written: WriteResult) -> None:
    """Raise the run's counters by what was written, and log its failures."""
    numbers = written.numbers
    session.execute(
        update(SyncRun)
        .where(SyncRun.id == run_id)
        .values(
            success=SyncRun.success + numbers[ItemStatus.SUCCESS] + numbers[ItemStatus.UNCHANGED],
            unchanged=SyncRun.unchanged + numbers[ItemStatus.UNCHANGED],
            failed=SyncRun.failed + numbers[ItemStatus.FAILED],
            compared_count=SyncRun.compared_count + written.compared,
            mismatched=SyncRun.mismatched + written.mismatched,
            last_progress_at=utcnow(),
            crash_count=0,
        )
    )
    if numbers[ItemStatus.FAILED]:
        failed = session.scalar(select(SyncRun.failed).where(SyncRun.id == run_id)) or 0
        failures = [outcome for outcome in written.outcomes if outcome.code != anomaly_guard.CODE]
        run_log.append_failures(run_id, failures, failed - numbers[ItemStatus.FAILED])


def _status(outcome: Result, changed: Changed) -> ItemStatus:
    if outcome.code:
        return ItemStatus.HELD if outcome.code == anomaly_guard.CODE else ItemStatus.FAILED
    return ItemStatus.SUCCESS if outcome.idperson in changed else ItemStatus.UNCHANGED


def _with_guard_verdict(
    outcome: Result, known: Mapping[str, int], suspects: dict[str, str]
) -> Result:
    """The outcome, unless the student was deleted while the run went on, or is held back."""
    if outcome.code or outcome.idperson in known:
        return suspicion.with_verdict(outcome, suspects.get(outcome.idperson))
    with campus_language():
        text = _("Siswa sudah dihapus dari MyUKM.")
    return outcome._replace(payments=None, code="student_deleted", message=text)


def _close_outcomes(
    session: Session, outcomes: Sequence[Result], changed: Changed
) -> Counter[ItemStatus]:
    """Close the items of these outcomes and return how many got which status."""
    groups: dict[tuple[ItemStatus, int], list[int]] = defaultdict(list)
    for outcome in outcomes:
        groups[_status(outcome, changed), outcome.attempts].append(outcome.item_id)
    _close_items(session, groups)
    _record_failures(session, [outcome for outcome in outcomes if outcome.code])
    numbers: Counter[ItemStatus] = Counter()
    for (status, _attempts), items in groups.items():
        numbers[status] += len(items)
    return numbers


def _close_items(session: Session, groups: dict[tuple[ItemStatus, int], list[int]]) -> None:
    now = utcnow()
    for (status, attempts), items in groups.items():
        session.execute(
            update(SyncItem)
            .where(in_literals(SyncItem.id, items))
            .values(
                status=status,
                attempts=attempts,
                finished_at=now,
                lane_id=None,
                code=None,
                message=None,
            )
        )


def _record_failures(session: Session, failures: Sequence[Result]) -> None:
    if not failures:
        return
    rows = [{"id": f.item_id, "code": f.code, "message": f.message} for f in failures]
    session.execute(update(SyncItem), rows)
