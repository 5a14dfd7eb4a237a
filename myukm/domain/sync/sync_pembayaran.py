"""The payment sync as people use it: start, pause, resume, cancel, reset, retry."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import case, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.database import count_changed, write
from myukm.domain import audit
from myukm.domain.api.api_state import valkey_away
from myukm.domain.flood import count_act
from myukm.domain.sync import (
    guard,
    progress,
    student_requests,
    sync_log,
    sync_queue,
    sync_run,
    sync_trail,
)
from myukm.domain.sync.sync_selection import check, no_student
from myukm.errors import Conflict, NotFound, Unavailable
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.models import Siswa, SyncRun
from myukm.models.sync import Status


class Actor(NamedTuple):
    """Who acts. The name is kept in the run and in the audit trail; the account may go."""

    name: str
    user_id: int | None = None


def start(
    by: Actor,
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
    refuse_second()
    run = SyncRun(
        live=1,
        dry_run=dry_run,
        chosen=check(chosen, failed_of, failed_code),
        parent_run_id=failed_of,
        failed_code=failed_code,
        started_by=by.name,
        started_by_id=by.user_id,
    )
    _insert(run, by)
    if not sync_queue.queue_dispatch(run.id):
        sync_run.explain(run.id, valkey_away)
    return _told()


def retry_failed(by: Actor, code: str | None = None) -> dict[str, Any]:
    """Start a run over the failed students (for this cause) of the run that ended last.

    After a dry run it is one as well: who only looked does not mean to write. Raises `Conflict`
    when a run lives, `Invalid` when nobody failed.
    """
    refuse_second()
    newest = select(SyncRun.id, SyncRun.dry_run).order_by(SyncRun.id.desc()).limit(1)
    last = db.session.execute(newest).one_or_none()
    if last is None:
        raise no_student()
    return start(by, dry_run=last.dry_run, failed_of=last.id, failed_code=code)


def pause(by: Actor) -> dict[str, Any]:
    """Let the run rest until `resume`. Raises `Conflict` when it is not queued or running."""
    text = _("Dijeda oleh %(name)s.", name=by.name)
    run_id = _act(by, "paused", text, Status.PAUSED, (Status.QUEUED, Status.RUNNING))
    sync_queue.withdraw(run_id)
    return _told()


def resume(by: Actor, *, accept: bool = False) -> dict[str, Any]:
    """Let a paused run go on where it was. Raises `Conflict` when none is paused.

    A run that paused because the API's answers are suspicious needs `accept`: they are believed.
    """
    run = sync_run.live()
    if run is not None and run.status == Status.PAUSED and run.reason_code == guard.CODE:
        return _accept(by, run.id, accept)
    before = case((SyncRun.dispatched, Status.RUNNING), else_=Status.QUEUED)
    text = _("Dilanjutkan oleh %(name)s.", name=by.name)
    run_id = _act(by, "resumed", text, before, (Status.PAUSED,))
    sync_run.advance(run_id)
    if not sync_run.queue_next(run_id):
        sync_run.explain(run_id, valkey_away)
    return _told()


def _accept(by: Actor, run_id: int, accept: bool) -> dict[str, Any]:
    if not accept:
        text = _("Jawaban API mencurigakan: terima dulu, atau batalkan.")
        raise Conflict(text, code="needs_acceptance")
    text = _("Jawaban API diterima oleh %(name)s.", name=by.name)
    _act(by, "accepted", text, Status.RUNNING, (Status.PAUSED,), trusted=True)
    sync_run.advance(run_id)
    sync_run.queue_next(run_id)
    return _told()


def cancel(by: Actor) -> dict[str, Any]:
    """End the run: students in flight end as they end, the others are not asked for.

    Raises `Conflict` when it is not queued, running or paused.
    """
    text = _("Pembatalan diminta oleh %(name)s.", name=by.name)
    sources = sync_run.sources_of(Status.CANCELLING)
    run_id = _act(by, "cancelling", text, Status.CANCELLING, sources)
    sync_queue.withdraw(run_id)
    progress.tell(always=True)
    sync_run.advance(run_id)
    return _told()


def reset(by: Actor) -> dict[str, Any]:
    """Show no run any more; the history stays. Raises `Conflict` while a run lives."""
    refuse_second()
    with write() as session:
        shown = update(SyncRun).where(SyncRun.live.is_(None), ~SyncRun.hidden)
        if count_changed(session, shown.values(hidden=True)):
            audit.note(by.name, "sync.reset", actor_id=by.user_id)
    return _told()


def sync_student_later(by: Actor, idperson: str) -> str:
    """Let one student be synced by a lane, or else by a job; return the job's id.

    Raises `NotFound` for an unknown student, `Unavailable` when Valkey is away and no lane took it.
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        raise NotFound(_("Tidak ada siswa dengan ID %(id)s.", id=idperson), code="no_such_student")
    request_id, is_new = student_requests.add(idperson)
    job_id = sync_queue.queue_student(request_id, idperson)
    if job_id is None and is_new and student_requests.withdraw(request_id):
        raise Unavailable(_("Antrian sedang tidak dapat dipakai. Coba lagi sebentar lagi."))
    with write():
        audit.note(by.name, "sync.student", idperson, actor_id=by.user_id)
    return job_id or f"{sync_queue.STUDENT}{request_id}"


def refuse_second() -> None:
    """Raise `Conflict` when a run lives."""
    if sync_run.live() is not None:
        raise _second()


def _second() -> Conflict:
    return Conflict(_("Sinkronisasi sedang berjalan."), code="sync_already_running")


def _insert(run: SyncRun, by: Actor) -> None:
    """Insert the run: of several at the same moment the unique `live` lets one in."""
    text = _("Dimulai oleh %(name)s.", name=by.name)
    if run.dry_run:
        text = _("Uji coba dimulai oleh %(name)s.", name=by.name)
    try:
        with write() as session:
            session.add(run)
            session.flush()
            count_act(by.user_id)
            _note(session, by, run.id, "started", text)
    except IntegrityError:
        raise _second() from None


def _act(by: Actor, code: str, text: Any, to: Any, sources: Iterable[Status], **values: Any) -> int:
    """Move the live run, note who did it, and return its id. Raises `Conflict`, `TooFast`."""
    run = sync_run.live()
    with write() as session:
        values |= {"reason": None, "reason_code": None, "crashes": 0}
        if run is None or not sync_run.move(session, run.id, to, *sources, **values):
            raise Conflict(_("Itu tidak dapat dilakukan sekarang."), code="not_now")
        count_act(by.user_id)
        _note(session, by, run.id, code, text)
    return int(run.id)


def _note(session: Session, by: Actor, run_id: int, code: str, text: Any) -> None:
    with campus_language():
        sync_log.tell(run_id, "info", code, str(text))
    sync_trail.note(session, run_id, code, by.name)
    audit.note(by.name, f"sync.{code}", f"#{run_id}", actor_id=by.user_id)


def _told() -> dict[str, Any]:
    """Tell everybody how it stands now, and the caller too."""
    progress.tell(always=True)
    return progress.current()
