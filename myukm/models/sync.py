"""Runs of the payment sync: the run, its students, the lanes at work, its speed over time."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow


class Status(StrEnum):
    """Where a run is; `idle` (no run) is no row."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


LIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.CANCELLING})


class SyncRun(Model):
    """A run. `live` is 1 while it lives and NULL after: unique, so only one can live at a time.

    The counters are changed only in the transaction that changes the items they count.
    `chosen` are the idpersons asked for (None: all students), `failed_code` says for what cause
    they failed in the parent, `moved_at` when the run last moved, `crashes` how many lanes failed
    since then, `hidden` that it was reset, `pruned` that only sums, failures and changes are left.
    `compared` are the answers about students of whom we had data, `trusted` says that answers which
    take much away are believed (see `domain.guard`). `mismatched` are the students whose figures
    disagree.
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
    hidden: Mapped[bool] = mapped_column(default=False)
    dry_run: Mapped[bool] = mapped_column(default=False)
    parent_run_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("sync_run.id", ondelete="SET NULL")
    )
    total: Mapped[int] = mapped_column(default=0)
    success: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    chosen: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    failed_code: Mapped[str | None] = mapped_column(key_type(32))
    compared: Mapped[int] = mapped_column(default=0)
    mismatched: Mapped[int] = mapped_column(default=0, server_default="0")
    trusted: Mapped[bool] = mapped_column(default=False)
    pruned: Mapped[bool] = mapped_column(default=False)
    dispatched: Mapped[bool] = mapped_column(default=False)
    crashes: Mapped[int] = mapped_column(default=0)
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    reason: Mapped[str | None] = mapped_column(String(500))
    reason_code: Mapped[str | None] = mapped_column(key_type(32))
    started_by: Mapped[str | None] = mapped_column(String(120))
    started_by_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="SET NULL")
    )
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ItemStatus(StrEnum):
    """What became of a student in a run; `unchanged` is a success that wrote nothing, `held` an
    answer that was held back, whose student counts as pending."""

    PENDING = "pending"
    CLAIMED = "claimed"
    HELD = "held"
    SUCCESS = "success"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (ItemStatus.PENDING, ItemStatus.CLAIMED)


class SyncItem(Model):
    """A student of a run: pending, claimed by a lane, or with its one outcome.

    `strikes` and `waited` (seconds) are what an open student has behind it: how often it was hit
    when the breaker opened, and how long the API made it wait.
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
    attempts: Mapped[int] = mapped_column(default=0)
    strikes: Mapped[int] = mapped_column(default=0)
    waited: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SyncLane(Model):
    """A job that works on a run now. It raises `beat` at least once a second while it lives."""

    __tablename__ = "sync_lane"
    id: Mapped[str] = mapped_column(key_type(36), primary_key=True)
    run_id: Mapped[int] = mapped_column(
        Id, ForeignKey("sync_run.id", ondelete="CASCADE"), index=True
    )
    worker: Mapped[str] = mapped_column(String(120), default="")
    beat: Mapped[int] = mapped_column(Id, default=0)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class SyncRequest(Model):
    """A student whom somebody asked to sync now; deleted by whoever has done it.

    `holder` is the lane or job that sees to it and raises `beat` at least once a second while it
    lives; `losses` counts holders that died over it. `doubt` says what an answer would have taken
    away that was held back (see `domain.sync.guard`).
    """

    __tablename__ = "sync_request"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    idperson: Mapped[str] = mapped_column(key_type(64), unique=True)
    holder: Mapped[str | None] = mapped_column(key_type(36))
    beat: Mapped[int] = mapped_column(Id, default=0)
    losses: Mapped[int] = mapped_column(default=0)
    doubt: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class SyncSample(Model):
    """The counters of a run at a moment: its chart, its rate, its ETA."""

    __tablename__ = "sync_sample"
    __table_args__ = (Index("ix_sync_sample_run_at", "run_id", "at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(Id, ForeignKey("sync_run.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    processed: Mapped[int] = mapped_column()
    failed: Mapped[int] = mapped_column()


class SyncAction(Model):
    """What was done with a run, and by whom (None: by the program itself)."""

    __tablename__ = "sync_action"
    __table_args__ = (Index("ix_sync_action_run", "run_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(Id, ForeignKey("sync_run.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    code: Mapped[str] = mapped_column(key_type(32))
    actor: Mapped[str | None] = mapped_column(String(120))


class SyncTraffic(Model):
    """What one lane had to do with the payment API so far; see `domain.traffic.Traffic`."""

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
