"""Recovers jobs that no worker would take again: orphaned by a worker that died between dequeue and
start, lost from their list, or deadly to their worker.

RQ's own workers look for orphaned jobs only at their start and every ten minutes; the leader does
so every ten seconds.
"""

import time
from collections.abc import Iterator, Sequence

from flask_babel import gettext as _
from rq.job import Job
from rq.registry import clean_registries

from myukm.domain.standstill import SeenTwice
from myukm.domain.sync import lifecycle, progress, watchdog
from myukm.extensions import valkey
from myukm.ops import lost_jobs
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import keep_running_jobs

RECOVER_SECONDS = 10.0
# A worker begins a job milliseconds after the dequeue, so a job not begun by then is orphaned.
FIX_PAUSE_SECONDS = 0.5


class OrphanRecovery:
    """Heals orphaned jobs that two checks in a row have found, and lost jobs at once; marks jobs
    failed whose worker died while running them. Each check looks for lost jobs in a portion of all
    jobs, because there may be a hundred thousand failed ones."""

    def __init__(self) -> None:
        self._troubles = SeenTwice[lost_jobs.Trouble]()
        self._next, self._cursor = 0.0, 0

    def recover(self) -> None:
        """Check each queue, unless the last check is less than ten seconds ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + RECOVER_SECONDS
        for trouble in self._troubles.of(lost_jobs.dequeued()):
            lost_jobs.heal(trouble)
        self._cursor, keys = lost_jobs.portion(self._cursor)
        for trouble in lost_jobs.lost(keys):
            lost_jobs.heal(trouble)
        clean()


def clean() -> Sequence[tuple[str, str]]:
    """Mark jobs failed whose worker died while running them; return each one's id and queue."""
    keep_running_jobs(valkey())
    abandoned = []
    for name in QUEUES:
        source = get_queue(name)
        for job_id in source.started_job_registry.get_expired_job_ids():
            # The entry of a job that has ended may remain; RQ only removes it.
            if valkey().hget(Job.key_for(job_id), "status") == b"started":
                abandoned.append((job_id, name))
        lost_jobs.fail_unreadable(name)  # otherwise RQ would raise, and clean nothing
        clean_registries(source)
    return abandoned


def fix() -> Iterator[str]:
    """Heal at once all that is safe to heal; yield what was done."""
    seen = SeenTwice[lost_jobs.Trouble]()
    seen.of(lost_jobs.dequeued())
    time.sleep(FIX_PAUSE_SECONDS)
    for trouble in [*seen.of(lost_jobs.dequeued()), *_all_lost()]:
        if outcome := lost_jobs.heal(trouble):
            yield _sentence(trouble, outcome)
    for job_id, queue in clean():
        yield str(
            _(
                "Pekerjaan %(id)s dari antrian %(queue)s digagalkan, karena worker-nya mati saat"
                " menjalankannya.",
                id=job_id,
                queue=queue,
            )
        )
    run = progress.live()
    if run is not None and watchdog.needs_job(run):
        lifecycle.drive(run.id)
        yield str(_("Proses sinkronisasi #%(id)d dimasukkan lagi ke antrian.", id=run.id))


def _all_lost() -> Iterator[lost_jobs.Trouble]:
    cursor, keys = lost_jobs.portion(0)
    yield from lost_jobs.lost(keys)
    while cursor:
        cursor, keys = lost_jobs.portion(cursor)
        yield from lost_jobs.lost(keys)


def _sentence(trouble: lost_jobs.Trouble, outcome: lost_jobs.Outcome) -> str:
    values = {"id": trouble.job_id, "queue": trouble.queue}
    match outcome:
        case lost_jobs.Outcome.PUT_BACK:
            text = _("Pekerjaan %(id)s dikembalikan ke antrian %(queue)s.", **values)
        case lost_jobs.Outcome.REMOVED:
            text = _("%(id)s, yang sudah dihapus, dibuang dari antrian %(queue)s.", **values)
        case lost_jobs.Outcome.FAILED:
            text = _(
                "Pekerjaan %(id)s dari antrian %(queue)s digagalkan, karena setiap worker yang"
                " mengambilnya mati.",
                **values,
            )
    return str(text)
