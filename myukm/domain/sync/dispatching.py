"""Writes a run's items, one per student, in short transactions so that other writers can run."""

from flask_babel import lazy_gettext as _
from sqlalchemy import func, insert, literal, select
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.domain.sync import lifecycle, run_log, transitions
from myukm.domain.sync.selection import selection
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus, Status
from myukm.sentences import lazy_decimal

CHUNK = 10_000


def dispatch(run_id: int) -> int:
    """Write the items of a queued run, set its total and move it to running; return the total.

    Can be repeated after an interruption. Returns 0 for a run that is not queued.
    """
    more = True
    while more:
        with transaction() as session:
            run = lock_undispatched(session, run_id)
            if run is None:
                return 0
            more = _write_items(session, run)
    return _start(run_id)


def lock_undispatched(session: Session, run_id: int) -> SyncRun | None:
    """Lock and return the run, None if it is not queued or its items are written already."""
    return session.scalar(
        select(SyncRun)
        .where(SyncRun.id == run_id, SyncRun.status == Status.QUEUED, ~SyncRun.dispatched)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _write_items(session: Session, run: SyncRun) -> bool:
    """Write the items of the next students; return whether more may be left.

    The run is locked and items are written in order of the students' ids, so the last item shows
    where to continue.
    """
    reached = session.scalar(
        select(Siswa.id)
        .join(SyncItem, SyncItem.idperson == Siswa.idperson)
        .where(SyncItem.run_id == run.id, SyncItem.status == ItemStatus.PENDING)
        .order_by(SyncItem.id.desc())
        .limit(1)
    )
    selected = selection(run.selected_ids, run.parent_run_id, run.failed_code)
    chunk = selected.where(Siswa.id > (reached or 0)).order_by(Siswa.id).limit(CHUNK)
    students = chunk.with_only_columns(
        literal(run.id), Siswa.idperson, literal(ItemStatus.PENDING), *[literal(0)] * 3
    )
    columns = ["run_id", "idperson", "status", "attempts", "breaker_hits", "retry_after_seconds"]
    return execute_rowcount(session, insert(SyncItem).from_select(columns, students)) == CHUNK


def _start(run_id: int) -> int:
    """Set the total and move the run to running, or to failed if it has no students."""
    with transaction() as session:
        if lock_undispatched(session, run_id) is None:
            return 0
        total = session.scalar(select(func.count()).where(SyncItem.run_id == run_id)) or 0
        if not total:
            text = _("Tidak ada siswa yang dapat disinkronkan.")
            lifecycle.fail(session, run_id, "no_student", text)
        else:
            transitions.move(session, run_id, Status.RUNNING, dispatched=True, total=total)
            on_commit(lifecycle.drive, run_id)
            text = _("%(n)s siswa masuk daftar.", n=lazy_decimal(total))
            run_log.append(run_id, "info", "dispatched", text)
    return total
