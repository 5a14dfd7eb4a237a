"""The progress object shared by page, JSON, CLI and stream, and its publishing."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import Row, func, select

from myukm.db.types import to_iso8601
from myukm.domain import activity
from myukm.domain.sync import standstill_reason, throughput
from myukm.extensions import db, valkey
from myukm.live import pubsub
from myukm.models import SyncLane, SyncRun
from myukm.models.sync import LIVE, Status
from myukm.sentences import in_each_language

# A Valkey key that expires after the shortest time between two publications.
TICK, TICK_MS = "myukm:sync:tick", 100
MIRRORED = ("total", "processed", "failed", "status")

# Select columns, not objects: a long-lived session would return an object's old values.
COLUMNS = tuple(
    column for name, column in SyncRun.__table__.c.items() if name not in ("live", "selected_ids")
)


def current() -> dict[str, Any]:
    """Return the progress object of the live run, or of the last one until it is dismissed."""
    run = db.session.execute(select(*COLUMNS).order_by(SyncRun.id.desc()).limit(1)).first()
    return idle() if run is None or run.dismissed else for_run(run)


def live() -> Row[Any] | None:
    """Return the live run as a row of `COLUMNS`, None if there is none."""
    return db.session.execute(select(*COLUMNS).where(SyncRun.live.is_not(None))).one_or_none()


def find(run_id: int) -> Row[Any] | None:
    """Return a run as a row of `COLUMNS`, None if it does not exist."""
    return db.session.execute(select(*COLUMNS).where(SyncRun.id == run_id)).one_or_none()


def for_run(run: Row[Any]) -> dict[str, Any]:
    """Return the progress object of a run, given as a row of `COLUMNS`."""
    numbers = counts(run)
    running, live = run.status == Status.RUNNING, run.status in LIVE
    rate = throughput.rate(run.id, numbers["processed"]) if running else None
    lanes = workers(run.id) if live else 0
    reason = standstill_reason.shown(run, lanes)
    return {
        "run_id": run.id,
        "status": run.status,
        "dry_run": run.dry_run,
        "parent_run_id": run.parent_run_id,
        **numbers,
        "rate_per_second": rate.per_second if rate else None,
        **throughput.eta(numbers["pending"], rate),
        "stalled": standstill_reason.is_stalled(run, reason),
        **in_each_language(reason=reason and reason.text),
        "reason_code": reason and reason.code,
        "started_by": run.started_by,
        "started_at": to_iso8601(run.started_at),
        "finished_at": to_iso8601(run.finished_at),
        "workers": lanes,
        "paused_by": _paused_by(run),
    }


def _paused_by(run: Row[Any]) -> str | None:
    """Return who paused the run, if a person did."""
    if run.status != Status.PAUSED or run.reason_code:
        return None
    return activity.last_actor(run.id, "paused")


def counts(run: Any) -> dict[str, Any]:
    """Return the counts of a run; they always add up to `total`."""
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
    """Return the percentage, rounded down to two places; 0 if `total` is 0."""
    return done * 10_000 // total / 100 if total else 0.0


def idle() -> dict[str, Any]:
    """Return the progress object without a run."""
    outcomes = ("success", "unchanged", "failed", "cancelled", "mismatched")
    nothing = dict.fromkeys(("total", "pending", "processed", *outcomes), 0)
    unknown = dict.fromkeys(("run_id", "parent_run_id", "rate_per_second", "reason", "reason_code"))
    unknown |= throughput.eta(0, None)
    nobody = dict.fromkeys(("started_by", "started_at", "finished_at", "paused_by"))
    flags = {"status": "idle", "dry_run": False, "stalled": False, "translations": {}}
    return {**unknown, **nobody, **nothing, **flags, "percent": 0.0, "workers": 0}


def publish() -> None:
    """Publish the progress and mirror it for scripts."""
    now = current()
    pubsub.publish_transient("sync", "sync.progress", now)
    mirror_to_cache_keys(now)


def publish_throttled() -> bool:
    """Publish at most ten times a second over all processes.

    Return False if it was too early, so that the caller has to call again. Without Valkey nothing
    is published, and True is returned.
    """
    try:
        if not valkey().set(TICK, 1, nx=True, px=TICK_MS):
            return False
    except RedisError:
        return True
    publish()
    return True


def mirror_to_cache_keys(progress: Mapping[str, Any]) -> None:
    """Copy the progress into the four Valkey keys that outside scripts read."""
    try:
        if progress["run_id"] is None:
            valkey().delete(*(f"sync_pembayaran_{name}" for name in MIRRORED))
        else:
            valkey().mset({f"sync_pembayaran_{name}": progress[name] for name in MIRRORED})
    except RedisError:
        return


def workers(run_id: int) -> int:
    """Return the number of lanes at work on the run."""
    return db.session.scalar(select(func.count()).where(SyncLane.run_id == run_id)) or 0
