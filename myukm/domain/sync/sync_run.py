"""How a run moves from status to status: each step is one conditional UPDATE that one can win."""

from collections.abc import Callable
from typing import Any

from flask_babel import format_decimal, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy import Row, case, func, select, update
from sqlalchemy.orm import Session

from myukm.database import count_changed, utcnow, write
from myukm.domain.api.api_state import Reason
from myukm.domain.sync import guard, mismatches, progress, sync_log, sync_queue, sync_trail
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.models import SyncItem, SyncRun
from myukm.models.sync import OPEN, ItemStatus, Status

CHUNK = 10_000
MOST_CRASHES = 5
REFUSALS = {
    "unauthorized": lazy_gettext(
        "API pembayaran menolak token (HTTP 401). Perbaiki PEMBAYARAN_API_TOKEN, lalu lanjutkan."
    ),
    "forbidden": lazy_gettext(
        "API pembayaran menolak sepuluh siswa berturut-turut (HTTP 403). Periksa hak token, "
        "lalu lanjutkan."
    ),
}


def live() -> Row[Any] | None:
    """Return the run that lives now as a row of `progress.COLUMNS`."""
    return db.session.execute(
        select(*progress.COLUMNS).where(SyncRun.live.is_not(None))
    ).one_or_none()


def find(run_id: int) -> Row[Any] | None:
    """Return a run as a row of `progress.COLUMNS`."""
    return db.session.execute(select(*progress.COLUMNS).where(SyncRun.id == run_id)).one_or_none()


def move(session: Session, run_id: int, to: Any, *sources: Status, **values: Any) -> bool:
    """Move the run to status `to` if it is in one of `sources`; return whether it was."""
    statement = update(SyncRun).where(SyncRun.id == run_id, SyncRun.status.in_(sources))
    return bool(count_changed(session, statement.values(status=to, moved_at=utcnow(), **values)))


def sources_of(to: Status) -> list[Status]:
    """Return the statuses from which a run may go to `to`."""
    return [status for status, targets in SyncRun.TRANSITIONS.items() if to in targets]


def end(session: Session, run_id: int, to: Status, **values: Any) -> bool:
    """End the run in status `to`; return whether it was this call that did it."""
    now = utcnow()
    ended = move(session, run_id, to, *sources_of(to), live=None, finished_at=now, **values)
    if ended:
        sync_trail.note(session, run_id, to.value)
    return ended


def advance(run_id: int) -> None:
    """Take the steps that are due: completed when every student has an outcome, cancelled when
    nobody works any more. Safe to call at any time, by anybody."""
    db.session.rollback()  # an older snapshot would not show what lanes wrote since
    run = find(run_id)
    if run is None:
        return
    if run.status == Status.RUNNING and run.dispatched:
        if progress.counts(run)["pending"] == 0:
            complete(run_id)
        else:
            _review_held(run)
    elif run.status == Status.CANCELLING and not progress.workers(run_id):
        cancel_rest(run_id)
    elif run.status == Status.PAUSED and run.reason_code == guard.CODE:
        _restate(run)


def queue_next(run_id: int) -> bool:
    """Make sure that the job which the run needs next waits; False when Valkey is away."""
    run = find(run_id)
    if run is None or run.status not in (Status.QUEUED, Status.RUNNING):
        return True
    wait = sync_queue.queue_lane if run.dispatched else sync_queue.queue_dispatch
    return wait(run_id)


def explain(run_id: int, why: Callable[[], Reason]) -> None:
    """Note why the run does not start to move, in the campus's language."""
    with write() as session, campus_language():
        reason = why()
        session.execute(
            update(SyncRun)
            .where(SyncRun.id == run_id, SyncRun.status == Status.QUEUED)
            .values(reason=reason.text, reason_code=reason.code)
        )


def complete(run_id: int) -> None:
    """End a run whose students all have an outcome."""
    with write() as session, campus_language():
        if not end(session, run_id, Status.COMPLETED):
            return
        numbers = _tell_rest(run_id)
        text = _("Selesai. %(success)s siswa berhasil, %(failed)s gagal.", **numbers)
        level = "success" if numbers["failed"] == "0" else "warning"
        sync_log.tell(run_id, level, "completed", text)
    sync_queue.withdraw(run_id)
    progress.tell(always=True)


def cancel_rest(run_id: int) -> None:
    """Count what is left of a run as cancelled, in short transactions, and end it."""
    while _cancel_some(run_id):
        progress.tell()
    with write() as session, campus_language():
        if not end(session, run_id, Status.CANCELLED):
            return
        text = _(
            "Dibatalkan. %(processed)s siswa sudah diproses, %(cancelled)s tidak.",
            **_tell_rest(run_id),
        )
        sync_log.tell(run_id, "info", "cancelled", text)
    progress.tell(always=True)


def _tell_rest(run_id: int) -> dict[str, str]:
    """Tell how many failures the log left out and of how many students the figures disagree;
    return the run's counts, written out."""
    run = find(run_id)
    numbers = progress.counts(run) if run else {}
    sync_log.tell_rest(run_id, numbers.get("failed", 0))
    mismatches.tell(run_id, numbers.get("mismatched", 0))
    return {name: format_decimal(number) for name, number in numbers.items()}


def _cancel_some(run_id: int) -> bool:
    """Cancel the next students and return whether there were any."""
    unfinished = (
        SyncItem.run_id == run_id,
        SyncItem.status.in_([*OPEN, ItemStatus.HELD]),
    )
    with write() as session:
        some = select(SyncItem.id).where(*unfinished).order_by(SyncItem.id).limit(CHUNK).subquery()
        last = session.scalar(select(func.max(some.c.id)))
        if last is None:
            return False
        number = count_changed(
            session,
            update(SyncItem)
            .where(*unfinished, SyncItem.id <= last)
            .values(status=ItemStatus.CANCELLED, lane_id=None, at=utcnow()),
        )
        # A run that was cancelled in the middle of its dispatch has the students written so far.
        total = case((SyncRun.dispatched, SyncRun.total), else_=SyncRun.total + number)
        session.execute(
            update(SyncRun)
            .where(SyncRun.id == run_id)
            .values(cancelled=SyncRun.cancelled + number, total=total, moved_at=utcnow())
        )
    return True


def _review_held(run: Row[Any]) -> None:
    """Held students of a trusted run are free again; of another one they are judged when nobody
    else is left: many are for a person to decide, few are asked for once more."""
    number = guard.held(run.id)
    if not number or not (run.trusted or guard.only_held_left(run.id)):
        return
    if not run.trusted and guard.too_many(number, run.compared):
        pause_suspicious(run.id)
    elif run.trusted or not guard.must_wait(run.id):
        guard.release(run.id, trusted=run.trusted)


def pause_suspicious(run_id: int) -> None:
    """Pause a running run because the API's answers take much away from many students."""
    run = find(run_id)
    if run is None or run.trusted:
        return
    _pause(run_id, guard.CODE, _suspicion(run))


def _suspicion(run: Row[Any]) -> str:
    """Say in the campus's language how many of the API's answers are suspicious."""
    with campus_language():
        numbers = {"held": guard.held(run.id), "compared": run.compared}
        text = _(
            "%(held)s dari %(compared)s jawaban API jauh lebih rendah daripada data yang ada. "
            "Belum ada yang ditimpa: periksa contohnya, lalu terima atau batalkan.",
            **{name: format_decimal(number) for name, number in numbers.items()},
        )
        return str(text)


def _restate(run: Row[Any]) -> None:
    """Give the numbers of now as the reason of the pause: requests were in flight when it began."""
    reason = _suspicion(run)
    if reason == run.reason:
        return
    with write() as session:
        same = (SyncRun.id == run.id, SyncRun.reason_code == guard.CODE)
        session.execute(update(SyncRun).where(*same).values(reason=reason))
    progress.tell(always=True)


def pause_refused(run_id: int, code: str) -> None:
    """Pause a running run because the payment API refuses us (a code of `REFUSALS`)."""
    with campus_language():
        reason = str(REFUSALS[code])
    _pause(run_id, code, reason)


def _pause(run_id: int, code: str, reason: str) -> None:
    why = {"reason": reason, "reason_code": code}
    with write() as session:
        settled = code == guard.CODE and _is_trusted(session, run_id)
        paused = not settled and move(session, run_id, Status.PAUSED, Status.RUNNING, **why)
        if paused:
            sync_trail.note(session, run_id, code)
            sync_log.tell(run_id, "error", code, reason)
    if paused:
        sync_queue.withdraw(run_id)
        progress.tell(always=True)


def _is_trusted(session: Session, run_id: int) -> bool:
    """Return whether a person has accepted the answers by now, and lock the run."""
    query = select(SyncRun.trusted).where(SyncRun.id == run_id)
    return bool(session.scalar(query.with_for_update()))


def note_crash(run_id: int) -> None:
    """Count a job that failed; a run on which one after the other fails has failed itself."""
    with write() as session, campus_language():
        raised = update(SyncRun).where(SyncRun.id == run_id, SyncRun.live.is_not(None))
        session.execute(raised.values(crashes=SyncRun.crashes + 1))
        crashes = session.scalar(select(SyncRun.crashes).where(SyncRun.id == run_id)) or 0
        if crashes >= MOST_CRASHES:
            text = _("Pekerjaan gagal berkali-kali. Sebabnya ada di log worker.")
            fail(session, run_id, "jobs_fail", text)
    if crashes >= MOST_CRASHES:
        sync_queue.withdraw(run_id)
        progress.tell(always=True)


def fail(session: Session, run_id: int, code: str, reason: str) -> None:
    """End a run that can't be carried out, inside `write()`."""
    if end(session, run_id, Status.FAILED, reason=reason, reason_code=code):
        sync_log.tell(run_id, "error", code, reason)
