"""Lifecycle of a run: takes the steps that are due and queues the next job."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import Row, case, exists, func, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.shared_state import valkey_down_reason
from myukm.domain.push import staff
from myukm.domain.sync import (
    anomaly_guard,
    mismatches,
    pausing,
    progress,
    queueing,
    run_log,
    transitions,
)
from myukm.extensions import db
from myukm.models import SyncItem, SyncRun
from myukm.models.sync import OPEN, ItemStatus, Status
from myukm.sentences import in_each_language, lazy_decimal

CHUNK = 10_000
MAX_CRASHES = 5


def drive(run_id: int) -> None:
    """Take the steps that are due, then queue the job that the run needs next.

    Any process may call it at any time, because a job of the same kind is not queued twice.
    """
    advance(run_id)
    run = progress.find(run_id)
    if run is None or not has_work(run):
        return
    queue = queueing.queue_lane if run.dispatched else queueing.queue_dispatch
    if not queue(run_id):
        _store_that_valkey_is_down(run_id)


def advance(run_id: int) -> None:
    """Take the steps that are due: complete the run if every student has an outcome, end a cancel
    if no lane works, review quarantined students. Idempotent; any process may call it."""
    db.session.rollback()  # an older snapshot would not show what lanes wrote since
    run = progress.find(run_id)
    if run is None:
        return
    if run.status == Status.RUNNING:
        if progress.counts(run)["pending"] == 0:
            complete(run_id)
        else:
            pausing.review_quarantined(run)
    elif run.status == Status.CANCELLING and not progress.workers(run_id):
        cancel_remaining(run_id)
    elif run.status == Status.PAUSED and run.reason_code == anomaly_guard.CODE:
        pausing.refresh_reason(run)


def has_work(run: Row[Any]) -> bool:
    """Return whether the run needs a job: a dispatch, or unclaimed students."""
    if run.status != Status.RUNNING:
        return bool(run.status == Status.QUEUED)
    waiting = exists().where(SyncItem.run_id == run.id, SyncItem.status == ItemStatus.PENDING)
    return bool(db.session.scalar(select(waiting)))


def _store_that_valkey_is_down(run_id: int) -> None:
    """Store with a queued run that it waits for Valkey."""
    with transaction() as session:
        reason = valkey_down_reason()
        session.execute(
            update(SyncRun)
            .where(SyncRun.id == run_id, SyncRun.status == Status.QUEUED)
            .values(reason_code=reason.code, **in_each_language(reason=reason.text))
        )


def complete(run_id: int) -> None:
    """End a run whose students all have an outcome."""
    with transaction() as session:
        if not transitions.move(session, run_id, Status.COMPLETED, "completed"):
            return
        numbers = _log_remaining(run_id)
        text = _("Selesai. %(success)s siswa berhasil, %(failed)s gagal.", **lazily(numbers))
        level = "warning" if numbers["failed"] else "success"
        run_log.append(run_id, level, "completed", text)
        if level == "warning":
            staff.put(session, staff.RUN, run_id)


def cancel_remaining(run_id: int) -> None:
    """Count the open items of a run as cancelled, in short transactions, and end the run."""
    while _cancel_some(run_id):
        pass
    with transaction() as session:
        if not transitions.move(session, run_id, Status.CANCELLED, "cancelled"):
            return
        text = _(
            "Dibatalkan. %(processed)s siswa sudah diproses, %(cancelled)s tidak.",
            **lazily(_log_remaining(run_id)),
        )
        run_log.append(run_id, "info", "cancelled", text)


def _log_remaining(run_id: int) -> dict[str, int]:
    """Log how many failures have no line of their own and how many students' figures disagree;
    return the run's counts."""
    run = progress.find(run_id)
    numbers: dict[str, int] = progress.counts(run) if run else {"failed": 0}
    run_log.append_remaining(run_id, numbers.get("failed", 0))
    mismatches.log_count(run_id, numbers.get("mismatched", 0))
    return numbers


def lazily(numbers: Mapping[str, int]) -> dict[str, LazyString]:
    """Return numbers by name as parts of a lazy sentence."""
    return {name: lazy_decimal(number) for name, number in numbers.items()}


def _cancel_some(run_id: int) -> bool:
    """Cancel the next students and return whether there were any."""
    unfinished = (
        SyncItem.run_id == run_id,
        SyncItem.status.in_([*OPEN, ItemStatus.HELD]),
    )
    with transaction() as session:
        some = select(SyncItem.id).where(*unfinished).order_by(SyncItem.id).limit(CHUNK).subquery()
        last = session.scalar(select(func.max(some.c.id)))
        if last is None:
            return False
        number = execute_rowcount(
            session,
            update(SyncItem)
            .where(*unfinished, SyncItem.id <= last)
            .values(status=ItemStatus.CANCELLED, lane_id=None, finished_at=utcnow()),
        )
        # A run cancelled during its dispatch has only the items written so far.
        total = case((SyncRun.dispatched, SyncRun.total), else_=SyncRun.total + number)
        session.execute(
            update(SyncRun)
            .where(SyncRun.id == run_id)
            .values(cancelled=SyncRun.cancelled + number, total=total, last_progress_at=utcnow())
        )
        on_commit(progress.publish_throttled)
    return True


def record_crash(run_id: int) -> None:
    """Count a crashed job; fail the run after MAX_CRASHES in a row."""
    with transaction() as session:
        raised = update(SyncRun).where(SyncRun.id == run_id, SyncRun.live.is_not(None))
        session.execute(raised.values(crash_count=SyncRun.crash_count + 1))
        crashes = session.scalar(select(SyncRun.crash_count).where(SyncRun.id == run_id)) or 0
        if crashes >= MAX_CRASHES:
            text = _("Pekerjaan gagal berkali-kali. Sebabnya ada di log worker.")
            fail(session, run_id, "jobs_fail", text)


def fail(session: Session, run_id: int, code: str, reason: Any) -> None:
    """Fail a run, inside `transaction()`."""
    if transitions.move(session, run_id, Status.FAILED, "failed", reason=reason, reason_code=code):
        run_log.append(run_id, "error", code, reason)
        staff.put(session, staff.RUN, run_id)
