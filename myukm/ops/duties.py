"""What the watch does: every duty is a domain function that is safe to call at any time."""

from myukm.domain import presence
from myukm.domain.broadcast import Overdue
from myukm.ops.watch import Duty


def duties() -> tuple[list[Duty], list[Duty]]:
    """Return the duties of every process and those of the leader."""
    return [Overdue().publish_overdue, presence.keep], [presence.settle]
