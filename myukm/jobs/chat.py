"""Jobs of the chat, on the queue `high`."""

from myukm.domain.chat import broadcast
from myukm.jobs import with_app_context


@with_app_context
def broadcast_chat_message(ukm_id: int) -> int:
    """Publish what waits in that UKM; return how many messages there were."""
    return broadcast.broadcast(ukm_id)
