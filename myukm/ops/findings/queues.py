"""Checks of the queues: workers suspended, missing, stuck or too few."""

from collections.abc import Iterator

from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.findings.valkey import address
from myukm.queues.jobs import QUEUES, SYNC
from myukm.queues.workers import Backlog, QueueSnapshot, WorkerInfo, snapshot

# An idle worker takes a job within milliseconds, so these are generous (seconds).
NO_CONSUMER_TIMEOUT = 3.0
STUCK_SECONDS = 10.0
SLOW_SECONDS = 30.0


def suspended() -> Iterator[Finding]:
    """All workers suspended by `rq suspend`."""
    state = snapshot()
    if state.suspended:
        waiting = sum(queue.count for queue in state.backlogs.values())
        yield Finding(
            "workers_suspended",
            BROKEN if waiting else WARNING,
            _(
                "Semua worker ditangguhkan (rq suspend); %(count)s pekerjaan menunggu.",
                count=format_decimal(waiting),
            ),
            _("Jalankan: %(command)s", command="rq resume"),
        )


def not_served() -> Iterator[Finding]:
    """A queue without a living worker, even if no job waits in it yet."""
    state = snapshot()
    for name in QUEUES:
        if state.suspended or state.workers_for(name):
            continue
        waiting = state.backlogs[name]
        is_starved = (waiting.seconds or 0) > NO_CONSUMER_TIMEOUT
        what = (
            _no_consumer(name, waiting)
            if is_starved
            else _("Tidak ada worker yang mendengarkan antrian %(queue)s.", queue=name)
        )
        yield Finding(
            "no_worker",
            BROKEN if is_starved else WARNING,
            f"{what} {_cause(name, state)}",
            _start(name),
            waiting.since if is_starved else None,
        )


def not_consumed() -> Iterator[Finding]:
    """Jobs that wait although workers listen: the workers hang, or there are too few."""
    state = snapshot()
    for name in QUEUES:
        workers, waiting = state.workers_for(name), state.backlogs[name]
        if state.suspended or not workers or not waiting.seconds:
            continue
        idle = [worker.name for worker in workers if worker.state == "idle"]
        if idle and waiting.seconds > STUCK_SECONDS:
            what, cure = _stuck(name, waiting, idle), _start_again()
            yield Finding("worker_stuck", BROKEN, what, cure, waiting.since)
        # Not for the sync queue: a lane's successor waits there until the lane ends.
        elif name != SYNC and waiting.seconds > SLOW_SECONDS:
            what, cure = _slow(name, waiting, workers), _start(name)
            yield Finding("queue_slow", WARNING, what, cure, waiting.since)


def _no_consumer(name: str, waiting: Backlog) -> str:
    return str(
        _(
            "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik) dan tidak "
            "ada worker yang mendengarkannya.",
            count=format_decimal(waiting.count),
            queue=name,
            age=waiting.seconds or 0,
        )
    )


def _cause(name: str, state: QueueSnapshot) -> str:
    """Return the most likely reason why no worker listens to a queue."""
    if living := [worker for worker in state.workers if worker.alive]:
        served = sorted({other for worker in living for other in worker.queues})
        return str(_("Worker yang hidup hanya mendengarkan: %(queues)s.", queues=", ".join(served)))
    if dead := [worker.name for worker in state.workers if name in worker.queues]:
        return str(_("Worker terakhirnya, %(name)s, mati mendadak.", name=dead[-1]))
    return str(
        _(
            "Belum ada worker di %(url)s; worker yang dijalankan dengan perintah rq mungkin "
            "memakai REDIS_URL lain, sebab rq tidak membaca .env (kecuali dengan -c rq_settings).",
            url=address(),
        )
    )


def _start(name: str) -> str:
    return str(
        _(
            "Jalankan: %(ours)s (semua antrian), atau: %(plain)s",
            ours="python worker.py",
            plain=f"rq worker -c rq_settings {name}",
        )
    )


def _start_again() -> str:
    return str(_("Jalankan ulang worker: %(command)s", command="flask queue restart"))


def _stuck(name: str, waiting: Backlog, idle: list[str]) -> str:
    return str(
        _(
            "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik) padahal "
            "worker %(worker)s menganggur: ia macet.",
            count=format_decimal(waiting.count),
            queue=name,
            age=waiting.seconds or 0,
            worker=idle[0],
        )
    )


def _slow(name: str, waiting: Backlog, workers: list[WorkerInfo]) -> str:
    return str(
        _(
            "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik): "
            "%(workers)d worker tidak cukup, atau pekerjaannya macet.",
            count=format_decimal(waiting.count),
            queue=name,
            age=waiting.seconds or 0,
            workers=len(workers),
        )
    )
