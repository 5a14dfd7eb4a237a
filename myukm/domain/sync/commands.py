"""User commands of the payment sync: start, pause, resume, cancel, reset, retry."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.deadlock_retry import retry_on_deadlock
from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.sync import (
    anomaly_guard,
    lifecycle,
    progress,
    queueing,
    run_log,
    student_requests,
    transitions,
)
from myukm.domain.sync.selection import check, no_student
from myukm.errors import Conflict, NotFound, Unavailable
from myukm.extensions import db
from myukm.models import Siswa, SyncRun
from myukm.models.sync import Status


def start(
    actor: Actor,
    *,
    dry_run: bool = False,
    failed_of: int | None = None,
    failed_code: str | None = None,
    selected_ids: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Accept a run and return its progress object.

    The run is over all active students, limited to `selected_ids` (idpersons) and to those that
    failed in run `failed_of` (for the cause `failed_code`), if given. Raises `Conflict` if a run is
    live, `NotFound` for an unknown `failed_of`, `Invalid` for unknown or inactive students or if
    there is no student to sync.
    """
    require_no_live_run()
    run = SyncRun(
        live=1,
        dry_run=dry_run,
        selected_ids=check(selected_ids, failed_of, failed_code),
        parent_run_id=failed_of,
        failed_code=failed_code,
        started_by=actor.name,
        started_by_id=actor.user_id,
    )
    _insert(run, actor)
    return progress.current()


def retry_failed(actor: Actor, code: str | None = None) -> dict[str, Any]:
    """Start a run over the failed students (for this cause) of the run that ended last.

    The retry of a dry run is a dry run too, because nobody asked to write anything. Raises
    `Conflict` if a run is live, `Invalid` if no student failed.
    """
    require_no_live_run()
    newest = select(SyncRun.id, SyncRun.dry_run).order_by(SyncRun.id.desc()).limit(1)
    last = db.session.execute(newest).one_or_none()
    if last is None:
        raise no_student()
    return start(actor, dry_run=last.dry_run, failed_of=last.id, failed_code=code)


def pause(actor: Actor) -> dict[str, Any]:
    """Pause the run until `resume`. Raises `Conflict` when it is not queued or running."""
    with transaction() as session:
        text = _("Dijeda oleh %(name)s.", name=actor.name)
        _move(session, actor, _live_run(session), Status.PAUSED, "paused", text)
    return progress.current()


def resume(actor: Actor, *, accept: bool = False) -> dict[str, Any]:
    """Resume a paused run. Raises `Conflict` if none is paused.

    A run that paused because of suspicious answers needs `accept`, which believes these answers.
    """
    with transaction() as session:
        run = _live_run(session)
        to = Status.RUNNING if run.dispatched else Status.QUEUED
        if run.status != Status.PAUSED or run.reason_code != anomaly_guard.CODE:
            text = _("Dilanjutkan oleh %(name)s.", name=actor.name)
            _move(session, actor, run, to, "resumed", text)
        elif accept:
            text = _("Jawaban API diterima oleh %(name)s.", name=actor.name)
            _move(session, actor, run, to, "accepted", text, answers_accepted=True)
        else:
            text = _("Jawaban API mencurigakan: terima dulu, atau batalkan.")
            raise Conflict(text, code="needs_acceptance")
    return progress.current()


def cancel(actor: Actor) -> dict[str, Any]:
    """Cancel the run: requests in flight are finished, the other students are not fetched.

    Raises `Conflict` when it is not queued, running or paused.
    """
    with transaction() as session:
        text = _("Pembatalan diminta oleh %(name)s.", name=actor.name)
        _move(session, actor, _live_run(session), Status.CANCELLING, "cancelling", text)
    return progress.current()


def reset(actor: Actor) -> dict[str, Any]:
    """Dismiss the shown run; the history stays. Raises `Conflict` if a run is live."""
    require_no_live_run()
    with transaction() as session:
        shown = update(SyncRun).where(SyncRun.live.is_(None), ~SyncRun.dismissed)
        if execute_rowcount(session, shown.values(dismissed=True)):
            activity.record(actor, "sync.reset")
        on_commit(progress.publish)
    return progress.current()


def sync_student_later(actor: Actor, idperson: str) -> str:
    """Request the sync of one student by a lane or else by a job; return the job's id.

    Raises `NotFound` for an unknown student, `Unavailable` if Valkey is away and no lane has
    claimed the request.
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        raise NotFound(_("Tidak ada siswa dengan ID %(id)s.", id=idperson), code="no_such_student")
    request_id, is_new = student_requests.add(idperson)
    job_id = queueing.queue_student(request_id, idperson)
    if job_id is None and is_new and student_requests.cancel(request_id):
        raise Unavailable(_("Antrian sedang tidak dapat dipakai. Coba lagi sebentar lagi."))
    with transaction():
        activity.record(actor, "sync.student", idperson)
    return job_id or f"{queueing.STUDENT}{request_id}"


def require_no_live_run() -> None:
    """Raise `Conflict` if a run is live."""
    if progress.live() is not None:
        raise _already_running()


def _already_running() -> Conflict:
    return Conflict(_("Sinkronisasi sedang berjalan."), code="sync_already_running")


def _insert(run: SyncRun, actor: Actor) -> None:
    """Insert the run. `live` is unique, so only one of several concurrent inserts succeeds.

    If one of them rolls back, the inserts that wait for it can deadlock on MariaDB, and the
    deadlock's victim is retried.
    """
    text = _("Dimulai oleh %(name)s.", name=actor.name)
    if run.dry_run:
        text = _("Uji coba dimulai oleh %(name)s.", name=actor.name)

    def insert() -> None:
        with transaction() as session:
            session.add(run)
            session.flush()
            _record(actor, run.id, "started", text)
            on_commit(progress.publish)
            on_commit(lifecycle.drive, run.id)

    try:
        retry_on_deadlock(insert)
    except IntegrityError:
        raise _already_running() from None


def _live_run(session: Session) -> Row[int, str, bool, str | None]:
    """Return the live run, locked. Raises `Conflict` if there is none."""
    columns = (SyncRun.id, SyncRun.status, SyncRun.dispatched, SyncRun.reason_code)
    query = select(*columns).where(SyncRun.live.is_not(None)).with_for_update()
    run = session.execute(query).one_or_none()
    if run is None:
        raise _not_now()
    return run


def _move(
    session: Session,
    actor: Actor,
    run: Row[int, str, bool, str | None],
    to: Status,
    code: str,
    text: Any,
    **values: Any,
) -> None:
    """Move the run and record who did it. Raises `Conflict` if the transition is not allowed."""
    if not transitions.move(session, run.id, to, crash_count=0, **values):
        raise _not_now()
    _record(actor, run.id, code, text)
    on_commit(lifecycle.drive, run.id)


def _not_now() -> Conflict:
    return Conflict(_("Itu tidak dapat dilakukan sekarang."), code="not_now")


def _record(actor: Actor, run_id: int, code: str, text: Any) -> None:
    run_log.append(run_id, "info", code, text)
    activity.record(actor, f"sync.{code}", f"#{run_id}", run_id=run_id)
