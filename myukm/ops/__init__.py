"""Operations: the figures, the doctor, the workers, and what keeps watch."""

from flask import Flask

from myukm import listeners
from myukm.domain.sync import progress
from myukm.i18n import campus_language
from myukm.queues import SYNC


def init_app(app: Flask) -> None:
    """Let a stalled run say who does not listen."""
    progress.explain_with(app, why_sync_waits)


def why_sync_waits() -> tuple[str, str] | None:
    """Return why nobody works on the sync, as code and sentence for everybody who reads it."""
    with campus_language():
        return listeners.why_not_served(SYNC)
