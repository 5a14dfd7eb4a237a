"""Jobs of the presence, on the queue `default`."""

from myukm.domain.presence import tracker
from myukm.jobs import with_app_context


@with_app_context
def broadcast_online_status(user_id: int) -> str | None:
    """Tell the account's UKMs its status if that is news; return the status told."""
    return tracker.broadcast(user_id)
