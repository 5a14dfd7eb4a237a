"""The progress object that page, JSON, CLI and stream share, and how it is told."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy import Row, func, select

from myukm.database import iso, utcnow
from myukm.domain.api.api_state import Reason, why_waiting
from myukm.domain.sync import speed
from myukm.extensions import db, valkey
from myukm.i18n import campus_language
from myukm.live import wake
from myukm.models import SyncLane, SyncRun
from myukm.models.sync import LIVE, Status

QUIET, STALLED = timedelta(seconds=1), timedelta(seconds=5)
TICK, TICK_MS = "myukm:sync:tick", 100
MIRRORED = ("total", "processed", "failed", "status")

# Columns, not objects: a session that lives long would show an object as it was at first.
COLUMNS = tuple(
    column for name, column in SyncRun.__table__.c.items() if name not in ("live", "chosen")
)
Why = Callable[[], tuple[str, str] | None]


def explain_with(app: Flask, why: Why) -> None:
    """Let `why` say (code, sentence) what keeps the sync's jobs from moving; None: nothing."""
    app.extensions["why_sync_stalls"] = why


def current() -> dict[str, Any]:
    """Return the progress object of the current run, or of the last one until reset."""
    run = db.session.execute(select(*COLUMNS).order_by(SyncRun.id.desc()).limit(1)).first()
    return idle() if run is None or run.hidden else of(run)


def of(run: Row[Any]) -> dict[str, Any]:
    """Return the progress object of a run, given as a row of `COLUMNS`."""
    numbers = counts(run)
    running, live = run.status == Status.RUNNING, run.status in LIVE
    rate = speed.rate(run.id, numbers["processed"]) if running else None
    lanes = workers(run.id) if live else 0
    still = utcnow() - run.moved_at
    reason = _why(run.status, lanes) if still > QUIET else None
    return {
        "run_id": run.id,
        "status": run.status,
        "dry_run": run.dry_run,
        "parent_run_id": run.parent_run_id,
        **numbers,
        "rate_per_second": rate.per_second if rate else None,
        **speed.eta(numbers["pending"], rate),
        "stalled": reason is not None and still >= STALLED,
        "reason": reason.text if reason else run.reason,
        "reason_code": reason.code if reason else run.reason_code,
        "started_by": run.started_by,
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "workers": lanes,
    }


def counts(run: Any) -> dict[str, Any]:
    """Return the counts of a run: they add up at every moment."""
    processed = run.success + run.failed
    return {
        "total": run.total,
        "pending": run.total - processed - run.cancelled,
        "processed": processed,
        "success": run.success,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "cancelled": run.cancelled,
        "mismatched": run.mismatched,
        "percent": percent(processed + run.cancelled, run.total),
    }


def percent(done: int, total: int) -> float:
    """Return the share in percent, rounded down to two places; 0 of nothing."""
    return done * 10_000 // total / 100 if total else 0.0


def idle() -> dict[str, Any]:
    """Return the progress object when there is no run to show."""
    outcomes = ("success", "unchanged", "failed", "cancelled", "mismatched")
    nothing = dict.fromkeys(("total", "pending", "processed", *outcomes), 0)
    unknown = dict.fromkeys(("run_id", "parent_run_id", "rate_per_second", "reason", "reason_code"))
    unknown |= speed.eta(0, None)
    nobody = dict.fromkeys(("started_by", "started_at", "finished_at"))
    flags = {"status": "idle", "dry_run": False, "stalled": False}
    return {**unknown, **nobody, **nothing, **flags, "percent": 0.0, "workers": 0}


def tell(*, always: bool = False) -> bool:
    """Send the progress to who listens and mirror it for scripts.

    At most ten a second go out over all processes, but for `always`. Return False when it was too
    early: the caller has to come back.
    """
    try:
        if not always and not valkey().set(TICK, 1, nx=True, px=TICK_MS):
            return False
    except RedisError:
        return True
    now = current()
    wake.tell("sync", "sync.progress", now)
    mirror(now)
    return True


def mirror(progress: Mapping[str, Any]) -> None:
    """Copy the progress into the four Valkey keys that outside scripts read."""
    try:
        if progress["run_id"] is None:
            valkey().delete(*(f"sync_pembayaran_{name}" for name in MIRRORED))
        else:
            valkey().mset({f"sync_pembayaran_{name}": progress[name] for name in MIRRORED})
    except RedisError:
        return


def _why(status: str, lanes: int) -> Reason | None:
    """Why a run that should move does not, when we know."""
    if status not in (Status.QUEUED, Status.RUNNING):
        return None
    with campus_language():
        return why_waiting() or (None if lanes else why_nobody_works())


def why_nobody_works() -> Reason | None:
    """Return why no worker takes the sync's jobs, when we know."""
    why: Why | None = current_app.extensions.get("why_sync_stalls")
    found = why() if why else None
    return Reason(*found) if found else None


def workers(run_id: int) -> int:
    """Return how many lanes work on the run."""
    return db.session.scalar(select(func.count()).where(SyncLane.run_id == run_id)) or 0
