"""Operations: the figures, the doctor, the workers, and what keeps watch."""

from flask import Flask

from myukm.domain.sync import progress
from myukm.i18n import campus_language
from myukm.queues.jobs import SYNC
from myukm.queues.workers import unserved_reason


def init_app(app: Flask) -> None:
    """Let a stalled run say who does not listen."""
    progress.set_stall_reason(app, sync_stall_reason)


def sync_stall_reason() -> tuple[str, str] | None:
    """Return why nobody works on the sync, as code and sentence for everybody who reads it."""
    with campus_language():
        return unserved_reason(SYNC)
