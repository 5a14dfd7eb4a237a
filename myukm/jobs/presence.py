"""Presence jobs, on the queue `default`."""

from myukm.domain.presence import tracker
from myukm.jobs import with_app_context


@with_app_context
def broadcast_online_status(user_id: int) -> str | None:
    """Publish the changed statuses of all accounts; return the account's own, None if unchanged."""
    return tracker.broadcast(user_id)
