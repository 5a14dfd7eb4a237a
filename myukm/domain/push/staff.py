"""Notifications for staff: runs that failed or need a decision, and alerts of the system."""

from typing import NamedTuple

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from myukm.domain.push import outbox, subscriptions
from myukm.domain.push.wording import Words, shortened
from myukm.extensions import db
from myukm.models import Alert, LoginSession, PushPreference, PushSubscription, Role, SyncRun, User
from myukm.models.sync import Status
from myukm.sentences import stored_sentence

RUN, DECISION, ALERT = "run", "decision", "alert"
ROLES = {
    RUN: (Role.ADMIN, Role.BENDAHARA),
    DECISION: (Role.ADMIN, Role.BENDAHARA),
    ALERT: (Role.OPERATOR,),
}
# The events of an alert, whose level only rises; the same numbers are in static/js/live/alerts.js.
ALERT_NUMBERS = {"warning": 1, "broken": 2}


class StaffWords(NamedTuple):
    """The texts, and the number of the event: the browser rings again for a higher one under the
    same tag, and takes an equal one as a repetition."""

    words: Words
    number: int


def put(session: Session, kind: str, ref: int) -> None:
    """Store deliveries about the row `ref` for everybody whose role the kind concerns, inside the
    transaction that changes the row."""
    unwanted = select(PushPreference.user_id).where(
        PushPreference.user_id == LoginSession.user_id, PushPreference.staff.is_(False)
    )
    query = subscriptions.select_valid(PushSubscription.id)
    found = session.scalars(query.where(User.role.in_(ROLES[kind]), ~unwanted.exists())).all()
    outbox.put(session, [outbox.Delivery(each, f"{kind}-{ref}", kind, ref) for each in found])


def is_for(user: User, chosen: PushPreference, kind: str) -> bool:
    """Return whether the kind concerns the person's present role, and they want it."""
    return user.role in ROLES[kind] and chosen.staff


def words(kind: str, ref: int) -> StaffWords | None:
    """Return the texts to show; None if the alert or decision is over, or the run is deleted."""
    if kind == ALERT:
        return _alert(ref)
    run = db.session.get(SyncRun, ref, populate_existing=True)
    if run is None:
        return None
    return _ended(run) if kind == RUN else _decision(run)


def _alert(ref: int) -> StaffWords | None:
    alert = db.session.get(Alert, ref, populate_existing=True)
    if alert is None or alert.resolved_at:
        return None
    shown = Words(_("Peringatan MyUKM"), _short(alert, "message"), "/admin/antrian")
    return StaffWords(shown, ALERT_NUMBERS[alert.level])


def _ended(run: SyncRun) -> StaffWords:
    path = f"/admin/sync-pembayaran/runs/{run.id}"
    if run.status == Status.FAILED:
        return StaffWords(Words(_("Sinkronisasi gagal"), _short(run, "reason"), path), run.id)
    failed, success = format_decimal(run.failed), format_decimal(run.success)
    title = _("Sinkronisasi selesai, %(failed)s gagal", failed=failed)
    body = _("%(success)s siswa berhasil.", success=success)
    return StaffWords(Words(title, body, path), run.id)


def _decision(run: SyncRun) -> StaffWords | None:
    if run.status != Status.PAUSED:
        return None
    title = _("Sinkronisasi menunggu keputusan Anda")
    paused = round(run.last_progress_at.timestamp() * 1000) if run.last_progress_at else run.id
    return StaffWords(Words(title, _short(run, "reason"), "/admin/sync-pembayaran"), paused)


def _short(row: Alert | SyncRun, name: str) -> str:
    """Return a row's sentence in the receiver's language, short enough for a notification."""
    return shortened(str(stored_sentence(row, name) or ""))
