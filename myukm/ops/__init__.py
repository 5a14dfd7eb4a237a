"""Operations: periodic tasks, doctor, alerts, queue statistics, metrics, dashboard."""

from typing import Any

from flask import Flask

from myukm.domain.sync import standstill_reason
from myukm.ops import readiness
from myukm.queues.jobs import SYNC
from myukm.queues.workers import unserved_reason


def init_app(app: Flask) -> None:
    """Create the probes of readiness, and register what finds the reason of a stalled run."""
    readiness.init_app(app)
    standstill_reason.register(app, sync_stall_reason)


def sync_stall_reason() -> tuple[str, Any] | None:
    """Return why no worker takes sync jobs, as code and sentence; None if a worker takes them."""
    return unserved_reason(SYNC)
