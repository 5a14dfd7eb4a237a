"""The list of periodic tasks. Each is idempotent, so several processes may run it at once."""

from myukm.domain.chat.broadcast import OverduePublisher
from myukm.domain.presence import tracker
from myukm.domain.sync import schedule, watchdog
from myukm.domain.ukm import unread
from myukm.ops.api_probe import PeriodicProbe
from myukm.ops.findings import database_writes
from myukm.ops.health_publisher import HealthPublisher
from myukm.ops.host_reports import HostReporter
from myukm.ops.job_recovery import OrphanRecovery
from myukm.ops.periodic import Task
from myukm.ops.process_registry import ProcessBeat
from myukm.ops.retention import RetentionRunner


def tasks() -> tuple[list[Task], list[Task]]:
    """Return the tasks of every process, then those of the leader."""
    local_tasks: list[Task] = [
        OverduePublisher().run,
        tracker.refresh_connections,
        HostReporter().run,
        database_writes.share,
        ProcessBeat().run,
    ]
    leader_tasks: list[Task] = [
        tracker.publish_expired,
        unread.publish_pending,
        watchdog.watch,
        schedule.Scheduler().run,
        HealthPublisher().publish,
        OrphanRecovery().recover,
        PeriodicProbe().run,
        RetentionRunner().run,
    ]
    return local_tasks, leader_tasks
