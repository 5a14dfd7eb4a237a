"""The list of periodic tasks. Each is idempotent, so several processes may run it at once."""

from myukm.domain.chat.broadcast import OverduePublisher
from myukm.domain.chat.search_upkeep import TermFiller
from myukm.domain.exports import watchdog as export_watchdog
from myukm.domain.files.cleanup import Sweeper
from myukm.domain.income.closing import DayCloser
from myukm.domain.presence import tracker
from myukm.domain.push.watch import PushWatch
from myukm.domain.queue_pauses import PauseAsserter
from myukm.domain.roster import watchdog as roster_watchdog
from myukm.domain.sync import schedule, watchdog
from myukm.domain.ukm import readers, unread
from myukm.domain.xlsx_output import Sweeper as BookSweeper
from myukm.ops.api_probe import PeriodicProbe
from myukm.ops.failure_work import FailureWorker
from myukm.ops.findings import database_writes
from myukm.ops.health_publisher import HealthPublisher
from myukm.ops.history.sampler import Sampler
from myukm.ops.host_reports import HostReporter
from myukm.ops.instrument_flush import InstrumentFlush
from myukm.ops.job_recovery import OrphanRecovery
from myukm.ops.periodic import Task
from myukm.ops.process_memory import MemoryReporter
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
        MemoryReporter().run,
        InstrumentFlush().run,
        BookSweeper().run,
    ]
    leader_tasks: list[Task] = [
        PauseAsserter().run,
        tracker.publish_expired,
        unread.debounced.publish_pending,
        readers.debounced.publish_pending,
        PushWatch().run,
        watchdog.watch,
        schedule.Scheduler().run,
        roster_watchdog.watch,
        export_watchdog.of_exports().watch,
        DayCloser().run,
        HealthPublisher().publish,
        Sampler().run,
        OrphanRecovery().recover,
        FailureWorker().run,
        PeriodicProbe().run,
        RetentionRunner().run,
        Sweeper().run,
        TermFiller().run,
    ]
    return local_tasks, leader_tasks
