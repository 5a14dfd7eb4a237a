"""Queues: the first question is whether anybody listens where jobs wait."""

from collections.abc import Iterator

from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm import listeners
from myukm.listeners import Listener, Scene, Waiting
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.findings.valkey import address
from myukm.queues import QUEUES, SYNC

# A job that a free worker could take is gone within milliseconds.
WAITS_SECONDS = 3.0
STUCK_SECONDS = 10.0
SLOW_SECONDS = 30.0


def suspended() -> Iterator[Finding]:
    """All workers rest because somebody ran `rq suspend`."""
    scene = listeners.look()
    if scene.suspended:
        waiting = sum(queue.count for queue in scene.waiting.values())
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
    """No living worker listens to a queue: nothing moves there, and nothing else would say so."""
    scene = listeners.look()
    for name in QUEUES:
        if scene.suspended or scene.serving(name):
            continue
        waiting = scene.waiting[name]
        in_vain = (waiting.seconds or 0) > WAITS_SECONDS
        what = (
            _waits_in_vain(name, waiting)
            if in_vain
            else _("Tidak ada worker yang mendengarkan antrian %(queue)s.", queue=name)
        )
        yield Finding(
            "no_worker",
            BROKEN if in_vain else WARNING,
            f"{what} {_cause(name, scene)}",
            _start(name),
            waiting.since if in_vain else None,
        )


def not_taken() -> Iterator[Finding]:
    """Workers listen, and still jobs wait: they hang, or there are too few of them."""
    scene = listeners.look()
    for name in QUEUES:
        workers, waiting = scene.serving(name), scene.waiting[name]
        if scene.suspended or not workers or not waiting.seconds:
            continue
        idle = [worker.name for worker in workers if worker.state == "idle"]
        if idle and waiting.seconds > STUCK_SECONDS:
            what, cure = _stuck(name, waiting, idle), _start_again()
            yield Finding("worker_stuck", BROKEN, what, cure, waiting.since)
        # A lane's successor waits in the sync's queue until the lane ends, as it should.
        elif name != SYNC and waiting.seconds > SLOW_SECONDS:
            what, cure = _slow(name, waiting, workers), _start(name)
            yield Finding("queue_slow", WARNING, what, cure, waiting.since)


def _waits_in_vain(name: str, waiting: Waiting) -> str:
    return str(
        _(
            "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik) dan tidak "
            "ada worker yang mendengarkannya.",
            count=format_decimal(waiting.count),
            queue=name,
            age=waiting.seconds or 0,
        )
    )


def _cause(name: str, scene: Scene) -> str:
    """Return the likeliest cause that nobody listens to a queue."""
    if living := [worker for worker in scene.workers if worker.alive]:
        heard = sorted({other for worker in living for other in worker.queues})
        return str(_("Worker yang hidup hanya mendengarkan: %(queues)s.", queues=", ".join(heard)))
    if dead := [worker.name for worker in scene.workers if name in worker.queues]:
        return str(_("Worker terakhirnya, %(name)s, mati mendadak.", name=dead[-1]))
    return str(
        _(
            "Belum ada worker di %(url)s; worker yang dijalankan dengan perintah rq mungkin "
            "memakai REDIS_URL lain, sebab rq tidak membaca .env.",
            url=address(),
        )
    )


def _start(name: str) -> str:
    return str(
        _(
            "Jalankan: %(ours)s (semua antrian), atau: %(plain)s",
            ours="python worker.py",
            plain=f"REDIS_URL={address()} rq worker {name}",
        )
    )


def _start_again() -> str:
    return str(_("Jalankan ulang worker: %(command)s", command="flask queue restart"))


def _stuck(name: str, waiting: Waiting, idle: list[str]) -> str:
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


def _slow(name: str, waiting: Waiting, workers: list[Listener]) -> str:
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
