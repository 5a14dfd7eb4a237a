"""The list of periodic tasks, and their start in a process.

Each task is idempotent, because for a moment two processes may both act as the leader.
"""

import threading
from functools import wraps
from itertools import count

from flask import Flask

from myukm.domain.chat.broadcast import OverduePublisher
from myukm.domain.chat.search_upkeep import TermFiller
from myukm.domain.exports import watchdog as export_watchdog
from myukm.domain.files.cleanup import Sweeper
from myukm.domain.income.closing import DayCloser
from myukm.domain.presence import outbox, tracker
from myukm.domain.push.watch import PushWatch
from myukm.domain.queue_pauses import PauseAsserter
from myukm.domain.roster import watchdog as roster_watchdog
from myukm.domain.sync import schedule, watchdog
from myukm.domain.ukm import readers, unread
from myukm.domain.xlsx_output import Sweeper as BookSweeper
from myukm.extensions import valkey
from myukm.ops.alerts.watch import AlertWatch
from myukm.ops.api_probe import PeriodicProbe
from myukm.ops.failure_work import FailureWorker
from myukm.ops.findings import database_writes
from myukm.ops.history.sampler import Sampler
from myukm.ops.host_reports import HostReporter
from myukm.ops.instrument_flush import InstrumentFlush
from myukm.ops.job_recovery import OrphanRecovery
from myukm.ops.periodic import PeriodicRunner, Task
from myukm.ops.process_memory import MemoryReporter
from myukm.ops.process_registry import ProcessHeartbeat
from myukm.ops.retention import PRUNERS, every_minute


def start(app: Flask) -> PeriodicRunner:
    """Start this process's periodic tasks and its thread for alerts; return the runner."""
    runner = PeriodicRunner(app, *tasks())
    runner.thread.start()
    watch = AlertWatch(app, runner.holder, runner.leads)
    threading.Thread(target=watch.run, args=(runner.stopped,), name="alerts", daemon=True).start()
    return runner


def tasks() -> tuple[list[Task], list[Task]]:
    """Return the tasks of every process, then those of the leader."""
    local_tasks: list[Task] = [
        OverduePublisher().run,
        tracker.refresh_connections,
        HostReporter().run,
        database_writes.share,
        ProcessHeartbeat().run,
        MemoryReporter().run,
        InstrumentFlush().run,
        BookSweeper().run,
    ]
    leader_tasks: list[Task] = [
        every_other(PauseAsserter().run),
        every_other(tracker.publish_expired),
        publish_debounced,
        PushWatch().run,
        watchdog.watch,
        schedule.Scheduler().run,
        roster_watchdog.watch,
        export_watchdog.of_exports().watch,
        DayCloser().run,
        Sampler().run,
        OrphanRecovery().recover,
        FailureWorker().run,
        PeriodicProbe().run,
        *map(every_minute, PRUNERS),
        Sweeper().run,
        TermFiller().run,
    ]
    return local_tasks, leader_tasks


def every_other(task: Task) -> Task:
    """Return a task that runs `task` at every second call."""
    calls = count()

    @wraps(task)
    def run() -> None:
        if next(calls) % 2 == 0:
            task()

    return run


def publish_debounced() -> None:
    """Publish debounced changes that are due: presence, unread counts, read markers. One `EXISTS`
    comes first, because mostly none is waiting."""
    if valkey().exists(outbox.DELAYED, unread.debounced.key, readers.debounced.key):
        tracker.publish_delayed()
        unread.debounced.publish_pending()
        readers.debounced.publish_pending()
