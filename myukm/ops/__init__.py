"""Operations: periodic tasks, doctor, alerts, queue statistics, metrics, dashboard."""

from flask import Flask

from myukm.domain.sync import progress
from myukm.i18n import campus_language
from myukm.queues.jobs import SYNC
from myukm.queues.workers import unserved_reason


def init_app(app: Flask) -> None:
    """Register the stall reason: the domain cannot import it, because `queues` state is ours."""
    progress.set_stall_reason(app, sync_stall_reason)


def sync_stall_reason() -> tuple[str, str] | None:
    """Return why no worker takes sync jobs, as code and sentence; None if one does.

    In the campus's language, because the sentence is stored and everybody reads the same row.
    """
    with campus_language():
        return unserved_reason(SYNC)
