"""Runs of the payment sync: the run, its items, its lanes, requests, samples, and statistics."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow


class Status(StrEnum):
    """The status of a run; `idle` (no run) has no row."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


WORKING = (Status.QUEUED, Status.RUNNING)
LIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.CANCELLING})


class SyncRun(Model):
    """A run. `live` is 1 until its end and NULL afterwards; unique, so at most one run is live.

    The counters are changed only in the transaction that changes the items they count.
    `selected_ids` are the requested idpersons (None: all students), `failed_code` the code with
    which they failed in the parent run, `crash_count` the number of lanes that failed since
    `last_progress_at`. `dispatched`: all its items are written. `dismissed`: after its end somebody
    pressed "Reset", so the page no longer shows it. `pruned`: only sums, failures and changes are
    still stored. `compared_count` counts answers about students that had data before.
    `answers_accepted`: somebody allowed answers that take many bills away, so they are written (see
    `domain.sync.anomaly_guard`). `mismatched` counts students for whom the API's totals differ from
    the sum of their bills. `translations` has the reason in other languages than the campus's (see
    `myukm.sentences`).
    """

    TRANSITIONS: ClassVar[dict[Status, frozenset[Status]]] = {
        Status.QUEUED: frozenset(
            {
                Status.RUNNING,  # the items of all its students are written
                Status.PAUSED,  # a person paused it before that
                Status.CANCELLING,  # a person cancelled it before that
                Status.FAILED,  # it has no students, or its job crashed too often
            }
        ),
        Status.RUNNING: frozenset(
            {
                Status.PAUSED,  # a person, an API that refuses us, or the anomaly guard paused it
                Status.CANCELLING,  # a person cancelled it
                Status.COMPLETED,  # every student has an outcome
                Status.FAILED,  # its lanes crashed too often in a row
            }
        ),
        Status.PAUSED: frozenset(
            {
                Status.QUEUED,  # a person resumed it, and items are still to be written
                Status.RUNNING,  # a person resumed it, or accepted what the guard held back
                Status.CANCELLING,  # a person cancelled it
            }
        ),
        Status.CANCELLING: frozenset(
            {
                Status.CANCELLED,  # no lane works any more, the rest is counted as cancelled
            }
        ),
    }

    __tablename__ = "sync_run"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    live: Mapped[int | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(key_type(16), default=Status.QUEUED)
    dismissed: Mapped[bool] = mapped_column(default=False)
    dry_run: Mapped[bool] = mapped_column(default=False)
    parent_run_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("sync_run.id", ondelete="SET NULL")
    )
    total: Mapped[int] = mapped_column(default=0)
    success: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    selected_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    failed_code: Mapped[str | None] = mapped_column(key_type(32))
    compared_count: Mapped[int] = mapped_column(default=0)
    mismatched: Mapped[int] = mapped_column(default=0, server_default="0")
    answers_accepted: Mapped[bool] = mapped_column(default=False)
    pruned: Mapped[bool] = mapped_column(default=False)
    dispatched: Mapped[bool] = mapped_column(default=False)
    crash_count: Mapped[int] = mapped_column(default=0)
    last_progress_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    reason: Mapped[str | None] = mapped_column(String(500))
    reason_code: Mapped[str | None] = mapped_column(key_type(32))
    translations: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started_by: Mapped[str | None] = mapped_column(String(120))
    started_by_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL")
    )
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ItemStatus(StrEnum):
    """The status of a student in a run. `unchanged` is a success that wrote nothing; `held` means
    that the guard quarantined the answer, and counts as pending."""

    PENDING = "pending"
    CLAIMED = "claimed"
    HELD = "held"
    SUCCESS = "success"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (ItemStatus.PENDING, ItemStatus.CLAIMED)


class SyncItem(Model):
    """A student of a run: pending, claimed by a lane, held, or finished with exactly one outcome.

    `breaker_hits` counts how often the circuit breaker opened while this student was failing,
    `retry_after_seconds` is the time that the API made the student wait so far.
    """

    __tablename__ = "sync_item"
    __table_args__ = (
        UniqueConstraint("run_id", "idperson"),
        Index("ix_sync_item_run_status", "run_id", "status", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(Id, ForeignKey("sync_run.id", ondelete="CASCADE"))
    idperson: Mapped[str] = mapped_column(key_type(64))
    status: Mapped[str] = mapped_column(key_type(16), default=ItemStatus.PENDING)
    lane_id: Mapped[str | None] = mapped_column(key_type(36))
    code: Mapped[str | None] = mapped_column(key_type(32))
    message: Mapped[str | None] = mapped_column(String(300))
    translations: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    attempts: Mapped[int] = mapped_column(default=0)
    breaker_hits: Mapped[int] = mapped_column(default=0)
    retry_after_seconds: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SyncLane(Model):
    """A job that is working on a run. It raises `heartbeat` at least once a second."""

    __tablename__ = "sync_lane"
    id: Mapped[str] = mapped_column(key_type(36), primary_key=True)
    run_id: Mapped[int] = mapped_column(
        Id, ForeignKey("sync_run.id", ondelete="CASCADE"), index=True
    )
    worker: Mapped[str] = mapped_column(String(120), default="")
    heartbeat: Mapped[int] = mapped_column(Id, default=0)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class SyncRequest(Model):
    """A request to sync one student now; deleted when it is done.

    `holder` is the lane or job that syncs the student and raises `heartbeat` at least once a
    second; `losses` counts holders that died meanwhile. `doubt` says what a quarantined answer
    would have taken away (see `domain.sync.anomaly_guard`).
    """

    __tablename__ = "sync_request"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    idperson: Mapped[str] = mapped_column(key_type(64), unique=True)
    holder: Mapped[str | None] = mapped_column(key_type(36))
    heartbeat: Mapped[int] = mapped_column(Id, default=0)
    losses: Mapped[int] = mapped_column(default=0)
    doubt: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class SyncSample(Model):
    """The counters of a run at one time, for its chart, rate and ETA."""

    __tablename__ = "sync_sample"
    __table_args__ = (Index("ix_sync_sample_run_at", "run_id", "at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(Id, ForeignKey("sync_run.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    processed: Mapped[int] = mapped_column()
    failed: Mapped[int] = mapped_column()


class SyncTraffic(Model):
    """A lane's request statistics so far; see `domain.payment_api.metrics.RequestStats`."""

    __tablename__ = "sync_traffic"
    lane_id: Mapped[str] = mapped_column(key_type(36), primary_key=True)
    run_id: Mapped[int] = mapped_column(
        Id, ForeignKey("sync_run.id", ondelete="CASCADE"), index=True
    )
    requests: Mapped[int] = mapped_column(Id, default=0)
    retries: Mapped[int] = mapped_column(Id, default=0)
    limited: Mapped[int] = mapped_column(Id, default=0)
    received: Mapped[int] = mapped_column(Id, default=0)
    latency: Mapped[list[int]] = mapped_column(JSON, default=list)
