"""Write answers in five steps, `lock → compare → guard → write → close`, which fill in an `Item`.

If the transaction fails, the steps can be repeated, because they do not change `Item.answer`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, Table, bindparam, select, update
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.db.types import utcnow
from myukm.domain.income import journal
from myukm.domain.income.journal import Origin
from myukm.domain.payment_api.errors import Failure, message
from myukm.domain.payment_api.parser import Payments
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import bill_sets, bill_table
from myukm.domain.sync import anomaly_guard, etags, mismatches, payment_history, run_log, suspicion
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus
from myukm.sentences import in_each_language


def lock(session: Session, lane_id: str, items: Sequence[Item]) -> list[Item]:
    """Return the items that the lane still holds, and lock them."""
    by_id = {item.item_id: item for item in items}
    query = select(SyncItem.id).where(
        in_literals(SyncItem.id, by_id),
        SyncItem.lane_id == lane_id,
        SyncItem.status == ItemStatus.CLAIMED,
    )
    locked = query.order_by(SyncItem.id).with_for_update()
    return [by_id[item_id] for item_id in session.scalars(locked)] if items else []


def take_in(
    session: Session,
    run_id: int | None,
    items: Sequence[Item],
    *,
    dry_run: bool = False,
    guarded: bool = True,
) -> None:
    """Store the students' payments (not in a dry run) and the history of their changes.

    Lanes and single-student jobs both call this. `guarded`: quarantine answers that lower a
    student's amounts a lot (see `suspicion`).
    """
    compare(session, items)
    if guarded and not dry_run:
        suspicion.guard(items)
    write(session, run_id, items, dry_run=dry_run)


def compare(session: Session, items: Sequence[Item]) -> None:
    """Compare the answers with the stored data, and lock the students' rows.

    A row may have data without a digest, because an upgrade that computes digests in another way
    deletes the stored ones.
    """
    for item in items:
        _reset(item)
    answered = {item.idperson: item for item in items if item.code is None}
    for row in _locked_rows(session, answered):
        item = answered.pop(row.idperson)
        item.row = row
        if item.payments is None:
            item.stale = row.etag != etags.with_api_prefix(item.etag)
        elif row.digest != item.payments.digest:
            item.new = item.payments
    for item in answered.values():
        item.code = "student_deleted"
        item.message = _("Siswa sudah dihapus dari MyUKM.")
    fetched = {item.row.id: item for item in items if item.new and item.row.filled}
    for old in payment_history.stored_payments(session, list(fetched)):
        fetched[old.id].old = old


def _reset(item: Item) -> None:
    """Reset the fields that the steps fill in; a failed answer sets `code` and `message`."""
    item.row = item.old = item.new = item.code = item.message = None
    item.stale = False
    if isinstance(item.answer, Failure):
        item.code, item.message = item.answer.code, message(item.answer)


def _locked_rows(session: Session, answered: Mapping[str, Item]) -> Sequence[Row[Any]]:
    filled = Siswa.pembayaran.is_not(None).label("filled")
    known = (Siswa.digest, Siswa.etag, Siswa.tidak_cocok, Siswa.unit_formal, filled)
    columns: Any = (Siswa.id, Siswa.idperson, *known)
    query = select(*columns).where(Siswa.idperson.in_(answered))
    return session.execute(query.order_by(Siswa.id).with_for_update()).all() if answered else ()


def write(session: Session, run_id: int | None, items: Sequence[Item], *, dry_run: bool) -> None:
    """Write the history and data of changed students, and the ETags of unchanged students."""
    changed = [item for item in items if item.new]
    payment_history.record(session, run_id, changed, dry_run=dry_run)
    if not dry_run:
        origins = {item.row.id: Origin(item.row.unit_formal, item.row.filled) for item in changed}
        store(session, {item.row.id: item.new for item in changed if item.new}, origins)
        etags.save(session, [item for item in items if item.code is None and not item.new])


def store(
    session: Session, new: Mapping[int, Payments], students: Mapping[int, Origin] | None = None
) -> None:
    """Write new payments by the students' row ids, with `synced_at`, bills and the journal.

    `students` are the students' origins; they are read here if the caller has not read them.
    """
    if not new:
        return
    now, students = utcnow(), students or journal.origins(session, new)
    bills = {key: payments.bills for key, payments in new.items()}
    sets = bill_sets.write(session, bills)
    rows: list[dict[str, Any]] = [
        {
            "key": key,
            "pembayaran": payments.text,
            "saldo": payments.saldo,
            **payments.owed._asdict(),
            "lunas": payments.owed.lunas,
            "bill_set": sets[key],
            "digest": payments.digest,
            "synced_at": now,
            "etag": etags.with_api_prefix(payments.etag),
            "etag_at": now,
        }
        for key, payments in new.items()
    ]
    table = cast(Table, Siswa.__table__)
    session.execute(update(table).where(table.c.id == bindparam("key")), rows)
    bill_table.replace(session, bills, students)


def close(session: Session, run_id: int, items: Sequence[Item]) -> None:
    """Set the items' outcomes, count them in the run, and log the failures."""
    now = utcnow()
    groups: dict[tuple[ItemStatus, int], list[int]] = defaultdict(list)
    for item in items:
        groups[_status(item), item.attempts].append(item.item_id)
    cleared = {"lane_id": None, "code": None, "message": None, "translations": None}
    for (status, attempts), ids in groups.items():
        closed = update(SyncItem).where(in_literals(SyncItem.id, ids))
        values = {"status": status, "attempts": attempts, "finished_at": now, **cleared}
        session.execute(closed.values(values))
    rows = [
        {"id": item.item_id, "code": item.code, **in_each_language(message=item.message)}
        for item in items
        if item.code
    ]
    if rows:
        session.execute(update(SyncItem), rows)
    _count(session, run_id, items)


def _count(session: Session, run_id: int, items: Sequence[Item]) -> None:
    numbers = Counter(_status(item) for item in items)
    unchanged, failed = numbers[ItemStatus.UNCHANGED], numbers[ItemStatus.FAILED]
    session.execute(
        update(SyncRun)
        .where(SyncRun.id == run_id)
        .values(
            success=SyncRun.success + numbers[ItemStatus.SUCCESS] + unchanged,
            unchanged=SyncRun.unchanged + unchanged,
            failed=SyncRun.failed + failed,
            compared_count=SyncRun.compared_count + sum(item.compared for item in items),
            mismatched=SyncRun.mismatched + sum(map(mismatches.disagrees, items)),
            last_progress_at=utcnow(),
            crash_count=0,
        )
    )
    if failed:
        total = session.scalar(select(SyncRun.failed).where(SyncRun.id == run_id)) or 0
        failures = [item for item in items if _status(item) is ItemStatus.FAILED]
        run_log.append_failures(run_id, failures, total - failed)


def _status(item: Item) -> ItemStatus:
    if item.code:
        return ItemStatus.HELD if item.code == anomaly_guard.CODE else ItemStatus.FAILED
    return ItemStatus.SUCCESS if item.new else ItemStatus.UNCHANGED
