"""Operations: periodic tasks, doctor, alerts, queue statistics, metrics, dashboard."""

from typing import Any

from flask import Flask

from myukm.domain.sync import standstill_reason
from myukm.ops import readiness
from myukm.queues.jobs import SYNC
from myukm.queues.workers import unserved_reason


def init_app(app: Flask) -> None:
    """Make the probes of readiness, and register the stall reason: the domain cannot import it,
    because `queues` state is ours."""
    readiness.init_app(app)
    standstill_reason.register(app, sync_stall_reason)


def sync_stall_reason() -> tuple[str, Any] | None:
    """Return why no worker takes sync jobs, as code and sentence; None if one does."""
    return unserved_reason(SYNC)
