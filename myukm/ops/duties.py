"""What the watch does: every duty is a domain function that is safe to call at any time."""

from myukm.domain.chat import presence, unread
from myukm.domain.chat.broadcast import Overdue
from myukm.domain.sync import sync_watch
from myukm.ops.alerts import Alarm
from myukm.ops.housekeeping import Housekeeper
from myukm.ops.telling import HealthTeller
from myukm.ops.tidy import Prober, Tidier
from myukm.ops.watch import Duty


def duties() -> tuple[list[Duty], list[Duty]]:
    """Return the duties of every process and those of the leader."""
    everywhere: list[Duty] = [Overdue().publish_overdue, presence.keep]
    leading: list[Duty] = [
        presence.settle,
        unread.tell_waiting,
        sync_watch.watch,
        HealthTeller().tell_health,
        Alarm().raise_alerts,
        Tidier().tidy_queues,
        Prober().probe_api,
        Housekeeper().keep_house,
    ]
    return everywhere, leading
