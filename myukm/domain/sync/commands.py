"""User commands of the payment sync: start, pause, resume, cancel, reset, retry."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import case, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.domain import audit
from myukm.domain.actor import Actor
from myukm.domain.payment_api.shared_state import valkey_down_reason
from myukm.domain.sync import (
    anomaly_guard,
    lifecycle,
    progress,
    queueing,
    run_actions,
    run_log,
    student_requests,
)
from myukm.domain.sync.selection import check, no_student
from myukm.errors import Conflict, NotFound, Unavailable
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.models import Siswa, SyncRun
from myukm.models.sync import Status


def start(
    actor: Actor,
    *,
    dry_run: bool = False,
    failed_of: int | None = None,
    failed_code: str | None = None,
    chosen: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Accept a run and return its progress object.

    Over all active students, or of these the `chosen` ones (idpersons) and those that failed in
    run `failed_of` (for the cause `failed_code`, if that is given). Raises `Conflict` when a run
    lives, `NotFound` for an unknown `failed_of`, `Invalid` for unknown students or when there is
    none to sync.
    """
    require_no_live_run()
    run = SyncRun(
        live=1,
        dry_run=dry_run,
        chosen=check(chosen, failed_of, failed_code),
        parent_run_id=failed_of,
        failed_code=failed_code,
        started_by=actor.name,
        started_by_id=actor.user_id,
    )
    _insert(run, actor)
    if not queueing.queue_dispatch(run.id):
        lifecycle.set_reason(run.id, valkey_down_reason)
    return _publish_progress()


def retry_failed(actor: Actor, code: str | None = None) -> dict[str, Any]:
    """Start a run over the failed students (for this cause) of the run that ended last.

    After a dry run it is one as well: who only looked does not mean to write. Raises `Conflict`
    when a run lives, `Invalid` when nobody failed.
    """
    require_no_live_run()
    newest = select(SyncRun.id, SyncRun.dry_run).order_by(SyncRun.id.desc()).limit(1)
    last = db.session.execute(newest).one_or_none()
    if last is None:
        raise no_student()
    return start(actor, dry_run=last.dry_run, failed_of=last.id, failed_code=code)


def pause(actor: Actor) -> dict[str, Any]:
    """Pause the run until `resume`. Raises `Conflict` when it is not queued or running."""
    text = _("Dijeda oleh %(name)s.", name=actor.name)
    run_id = _transition(actor, "paused", text, Status.PAUSED, (Status.QUEUED, Status.RUNNING))
    queueing.remove_queued(run_id)
    return _publish_progress()


def resume(actor: Actor, *, accept: bool = False) -> dict[str, Any]:
    """Let a paused run go on where it was. Raises `Conflict` when none is paused.

    A run that paused because the API's answers are suspicious needs `accept`: they are believed.
    """
    run = lifecycle.live()
    if run is not None and run.status == Status.PAUSED and run.reason_code == anomaly_guard.CODE:
        return _accept(actor, run.id, accept)
    before = case((SyncRun.dispatched, Status.RUNNING), else_=Status.QUEUED)
    text = _("Dilanjutkan oleh %(name)s.", name=actor.name)
    run_id = _transition(actor, "resumed", text, before, (Status.PAUSED,))
    lifecycle.advance(run_id)
    if not lifecycle.queue_next(run_id):
        lifecycle.set_reason(run_id, valkey_down_reason)
    return _publish_progress()


def _accept(actor: Actor, run_id: int, accept: bool) -> dict[str, Any]:
    if not accept:
        text = _("Jawaban API mencurigakan: terima dulu, atau batalkan.")
        raise Conflict(text, code="needs_acceptance")
    text = _("Jawaban API diterima oleh %(name)s.", name=actor.name)
    _transition(actor, "accepted", text, Status.RUNNING, (Status.PAUSED,), trusted=True)
    lifecycle.advance(run_id)
    lifecycle.queue_next(run_id)
    return _publish_progress()


def cancel(actor: Actor) -> dict[str, Any]:
    """End the run: students in flight end as they end, the others are not asked for.

    Raises `Conflict` when it is not queued, running or paused.
    """
    text = _("Pembatalan diminta oleh %(name)s.", name=actor.name)
    sources = lifecycle.sources_of(Status.CANCELLING)
    run_id = _transition(actor, "cancelling", text, Status.CANCELLING, sources)
    queueing.remove_queued(run_id)
    progress.publish(force=True)
    lifecycle.advance(run_id)
    return _publish_progress()


def reset(actor: Actor) -> dict[str, Any]:
    """Dismiss the shown run; the history stays. Raises `Conflict` while a run lives."""
    require_no_live_run()
    with transaction() as session:
        shown = update(SyncRun).where(SyncRun.live.is_(None), ~SyncRun.hidden)
        if execute_rowcount(session, shown.values(hidden=True)):
            audit.record(actor.name, "sync.reset", actor_id=actor.user_id)
    return _publish_progress()


def sync_student_later(actor: Actor, idperson: str) -> str:
    """Let one student be synced by a lane, or else by a job; return the job's id.

    Raises `NotFound` for an unknown student, `Unavailable` when Valkey is away and no lane took it.
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        raise NotFound(_("Tidak ada siswa dengan ID %(id)s.", id=idperson), code="no_such_student")
    request_id, is_new = student_requests.add(idperson)
    job_id = queueing.queue_student(request_id, idperson)
    if job_id is None and is_new and student_requests.cancel(request_id):
        raise Unavailable(_("Antrian sedang tidak dapat dipakai. Coba lagi sebentar lagi."))
    with transaction():
        audit.record(actor.name, "sync.student", idperson, actor_id=actor.user_id)
    return job_id or f"{queueing.STUDENT}{request_id}"


def require_no_live_run() -> None:
    """Raise `Conflict` when a run lives."""
    if lifecycle.live() is not None:
        raise _already_running()


def _already_running() -> Conflict:
    return Conflict(_("Sinkronisasi sedang berjalan."), code="sync_already_running")


def _insert(run: SyncRun, actor: Actor) -> None:
    """Insert the run: of several at the same moment the unique `live` lets one in."""
    text = _("Dimulai oleh %(name)s.", name=actor.name)
    if run.dry_run:
        text = _("Uji coba dimulai oleh %(name)s.", name=actor.name)
    try:
        with transaction() as session:
            session.add(run)
            session.flush()
            _record(session, actor, run.id, "started", text)
    except IntegrityError:
        raise _already_running() from None


def _transition(
    actor: Actor, code: str, text: Any, to: Any, sources: Iterable[Status], **values: Any
) -> int:
    """Transition the live run, record the actor, and return its id. Raises `Conflict`."""
    run = lifecycle.live()
    with transaction() as session:
        values |= {"reason": None, "reason_code": None, "crashes": 0}
        if run is None or not lifecycle.transition(session, run.id, to, *sources, **values):
            raise Conflict(_("Itu tidak dapat dilakukan sekarang."), code="not_now")
        _record(session, actor, run.id, code, text)
    return int(run.id)


def _record(session: Session, actor: Actor, run_id: int, code: str, text: Any) -> None:
    with campus_language():
        run_log.append(run_id, "info", code, str(text))
    run_actions.record(session, run_id, code, actor.name)
    audit.record(actor.name, f"sync.{code}", f"#{run_id}", actor_id=actor.user_id)


def _publish_progress() -> dict[str, Any]:
    """Publish the progress and return it."""
    progress.publish(force=True)
    return progress.current()
