"""Chat jobs, on the queue `high`."""

from myukm.domain.chat import broadcast
from myukm.jobs import with_app_context


@with_app_context
def broadcast_chat_message(ukm_id: int) -> int:
    """Publish the UKM's unpublished messages; return how many."""
    return broadcast.broadcast(ukm_id)
