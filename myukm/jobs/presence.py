"""Presence jobs, on the queue `default`."""

from myukm.domain.presence import tracker
from myukm.jobs import with_app_context


@with_app_context
def broadcast_online_status(user_id: int) -> str | None:
    """Publish the statuses of all accounts that changed; return that of this one, else None."""
    return tracker.broadcast(user_id)
