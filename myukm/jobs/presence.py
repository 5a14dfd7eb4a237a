"""Jobs of the presence, on the queue `default`."""

from myukm.domain.chat import presence
from myukm.jobs import in_app


@in_app
def broadcast_online_status(user_id: int) -> str | None:
    """Tell the account's UKMs its status if that is news; return the status told."""
    return presence.broadcast(user_id)
