"""Presence jobs, on the queue `default`."""

from myukm.domain.presence import tracker
from myukm.jobs import with_app_context


@with_app_context
def broadcast_online_status(user_id: int) -> str | None:
    """Publish the account's status to its UKMs if it changed; return the status, else None."""
    return tracker.broadcast(user_id)
