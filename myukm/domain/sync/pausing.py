"""Pauses that the program makes itself: the API refuses us, or its answers are suspicious."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from myukm.db.session import on_commit, transaction
from myukm.domain.push import staff
from myukm.domain.sync import anomaly_guard, progress, run_log, transitions
from myukm.models import SyncRun
from myukm.models.sync import Status
from myukm.sentences import in_each_language, lazy_decimal

REFUSALS = {
    "unauthorized": _(
        "API pembayaran menolak token (HTTP 401). Minta pengelola server MyUKM memasang token yang "
        "berlaku (PEMBAYARAN_API_TOKEN), lalu lanjutkan."
    ),
    "forbidden": _(
        "API pembayaran menolak sepuluh siswa berturut-turut (HTTP 403). Minta pengelola API "
        "pembayaran memeriksa hak token MyUKM, lalu lanjutkan."
    ),
}


def review_quarantined(run: Row[Any]) -> None:
    """Decide about quarantined items of a running run.

    If a person accepted the answers, the items are released at once. Otherwise they wait until no
    other item is open. Then the run pauses for a person if many items are quarantined; few are
    fetched once more.
    """
    number = anomaly_guard.count_quarantined(run.id)
    if not number or not (run.answers_accepted or anomaly_guard.only_quarantined_left(run.id)):
        return
    if not run.answers_accepted and anomaly_guard.too_many(number, run.compared_count):
        pause_suspicious(run.id)
    elif run.answers_accepted or not anomaly_guard.must_wait(run.id):
        anomaly_guard.release(run.id, trusted=run.answers_accepted)


def pause_suspicious(run_id: int) -> None:
    """Pause a running run because the API's answers lower the amounts of many students a lot."""
    run = progress.find(run_id)
    if run is None or run.answers_accepted:
        return
    _pause(run_id, anomaly_guard.CODE, _suspicion_text(run))


def _suspicion_text(run: Row[Any]) -> LazyString:
    """Return the sentence with the number of suspicious answers."""
    return _(
        "%(held)s dari %(compared)s jawaban API jauh lebih rendah daripada data yang ada. "
        "Belum ada yang ditimpa: periksa contohnya, lalu terima atau batalkan.",
        held=lazy_decimal(anomaly_guard.count_quarantined(run.id)),
        compared=lazy_decimal(run.compared_count),
    )


def refresh_reason(run: Row[Any]) -> None:
    """Update the numbers in the reason of the pause, because answers arrived after it began."""
    texts = in_each_language(reason=_suspicion_text(run))
    if texts["reason"] == run.reason:
        return
    with transaction() as session:
        same = (SyncRun.id == run.id, SyncRun.reason_code == anomaly_guard.CODE)
        session.execute(update(SyncRun).where(*same).values(texts))
        on_commit(progress.publish)


def pause_refused(run_id: int, code: str) -> None:
    """Pause a running run because the payment API refuses us (a code of `REFUSALS`)."""
    _pause(run_id, code, REFUSALS[code])


def _pause(run_id: int, code: str, reason: LazyString) -> None:
    with transaction() as session:
        if code == anomaly_guard.CODE and _is_trusted(session, run_id):
            return
        if transitions.move(session, run_id, Status.PAUSED, code, reason=reason, reason_code=code):
            run_log.append(run_id, "error", code, reason)
            staff.put(session, staff.DECISION, run_id)


def _is_trusted(session: Session, run_id: int) -> bool:
    """Return whether a person has accepted the answers by now, and lock the run."""
    query = select(SyncRun.answers_accepted).where(SyncRun.id == run_id)
    return bool(session.scalar(query.with_for_update()))
