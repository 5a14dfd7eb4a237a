"""Jobs of the chat, on the queue `high`."""

from myukm.domain.chat import broadcast
from myukm.jobs import in_app


@in_app
def broadcast_chat_message(ukm_id: int) -> int:
    """Publish what waits in that UKM; return how many messages there were."""
    return broadcast.broadcast(ukm_id)
