"""Why a live run does not move.

The leader finds the reason and stores it with the run, so that all processes show the same reason.
The leader does so because it reaches both the database and Valkey; another process may not. Until a
reason is stored, each process finds it itself.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import Row, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.shared_state import Reason, wait_reason
from myukm.models import SyncRun
from myukm.models.sync import WORKING, Status
from myukm.sentences import in_each_language, lazy_clock, stored_sentence

QUIET_PERIOD, STALLED = timedelta(seconds=1), timedelta(seconds=5)
# After this time a run is reported even if no cause is known. It is longer than it takes to replace
# a hung lane and get the first answers of its successor.
UNEXPLAINED, STILL_CODE = timedelta(seconds=30), "sync_still"
Why = Callable[[], tuple[str, Any] | None]


def register(app: Flask, why: Why) -> None:
    """Register `why`, which returns (code, sentence) if no worker takes sync jobs, else None."""
    app.extensions["why_sync_stalls"] = why


def shown(run: Row[Any], lanes: int) -> Reason | None:
    """Return the reason that the progress object of a run shows.

    It is the stored reason if the run does not move, waits for a person, or has failed; otherwise
    the reason that this process finds.
    """
    if run.reason_code and (run.status != Status.RUNNING or _idle(run) > QUIET_PERIOD):
        return Reason(run.reason_code, stored_sentence(run, "reason"))
    return find(run, lanes)


def is_stalled(run: Row[Any], reason: Reason | None) -> bool:
    """Return whether a run that should move does not, for this reason."""
    should_move = run.status in WORKING or run.status == Status.CANCELLING
    return should_move and reason is not None and _idle(run) >= STALLED


def find(run: Row[Any], lanes: int) -> Reason | None:
    """Return why a run that should move does not, as far as this process can see; None if the run
    moves or the reason is not known yet."""
    reason = None
    if run.status in WORKING and _idle(run) > QUIET_PERIOD:
        reason = wait_reason() or (None if lanes else no_worker_reason())
    if reason is None and run.status in (*WORKING, Status.CANCELLING) and _idle(run) >= UNEXPLAINED:
        reason = _unknown(run)
    return reason


def store(run: Row[Any], lanes: int) -> Reason | None:
    """Find the reason in the leader, store it if the run is queued or running, and return it."""
    reason = find(run, lanes)
    code, text = reason or (None, None)
    texts = in_each_language(reason=text)
    if run.status not in WORKING or (run.reason_code, run.reason) == (code, texts["reason"]):
        return reason
    with transaction() as session:
        same = (SyncRun.id == run.id, SyncRun.status == run.status)
        session.execute(update(SyncRun).where(*same).values(reason_code=code, **texts))
    return reason


def no_worker_reason() -> Reason | None:
    """Return why no worker takes the sync's jobs, None if unknown."""
    why: Why | None = current_app.extensions.get("why_sync_stalls")
    found = why() if why else None
    return Reason(*found) if found else None


def _idle(run: Row[Any]) -> timedelta:
    idle: timedelta = utcnow() - run.last_progress_at
    return idle


def _unknown(run: Row[Any]) -> Reason:
    text = _(
        "belum bergerak sejak %(time)s; sebabnya tidak diketahui; lihat log worker",
        time=lazy_clock(run.last_progress_at),
    )
    return Reason(STILL_CODE, text)
