"""Checks of the queues: workers suspended, missing, stuck or too few."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from myukm.extensions import valkey
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.findings.valkey import address
from myukm.queues import counters
from myukm.queues.backlogs import Backlog
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import QUEUES, SYNC
from myukm.queues.workers import QueueSnapshot, WorkerInfo, is_ours, snapshot
from myukm.sentences import joined, lazy_decimal

# Ages of the oldest waiting job. They are generous, because an idle worker takes a job within
# milliseconds.
NO_CONSUMER_SECONDS = 3.0
STUCK_SECONDS, SLOW_SECONDS = 10.0, 30.0
OVERDUE_SECONDS = 5
# Hash in Valkey: for each queue its oldest job, how many jobs have ended, and since when neither
# has changed.
SEEN_KEY, STILL_SECONDS = "myukm:doctor:queues", 5


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
                count=lazy_decimal(waiting),
            ),
            _("Jalankan: %(command)s", command="./run rq resume"),
        )


def not_served() -> Iterator[Finding]:
    """Queues without a living worker, even if no job waits in them yet. One finding for all these
    queues, because they have one cause."""
    state = snapshot()
    unserved = [name for name in _active(state) if not state.workers_for(name)]
    if not unserved:
        return
    ages = {name: state.backlogs[name].seconds or 0 for name in unserved}
    starved = [name for name in unserved if ages[name] > NO_CONSUMER_SECONDS]
    others = ", ".join(name for name in unserved if name not in starved)
    sentences = [_no_consumer(name, state.backlogs[name]) for name in starved]
    if others:
        text = _("Tidak ada worker yang mendengarkan antrian %(queue)s.", queue=others)
        sentences.append(text)
    oldest = [moment for name in starved if (moment := state.backlogs[name].since)]
    yield Finding(
        "no_worker",
        BROKEN if starved else WARNING,
        joined(*sentences, _cause(unserved[0], state)),
        _start_cure((starved or unserved)[0]),
        min(oldest, default=None),
        extent=len(unserved) + len(starved),
    )


def overdue() -> Iterator[Finding]:
    """Jobs whose scheduled time has passed, but which no scheduler has enqueued."""
    state = snapshot()
    keys = {name: get_queue(name).scheduled_job_registry.key for name in _active(state)}
    if not keys or not valkey().exists(*keys.values()):
        return
    for name, key in keys.items():
        if count := valkey().zcount(key, 0, state.moment - OVERDUE_SECONDS):
            yield Finding(
                "scheduled_overdue",
                BROKEN,
                _(
                    "%(count)s pekerjaan terjadwal di antrian %(queue)s sudah lewat waktunya, dan "
                    "tidak ada penjadwal yang memasukkannya.",
                    count=lazy_decimal(count),
                    queue=name,
                ),
                _("Jalankan %(ours)s: penjadwalnya ikut.", ours="./run worker"),
                subject=name,
            )


def not_consumed() -> Iterator[Finding]:
    """Jobs that wait although workers listen: the workers hang, or there are too few."""
    state = snapshot()
    served = [each for each in _active(state) if state.workers_for(each)]
    ages = {each: state.backlogs[each].seconds or 0.0 for each in served}
    unchanged = _unchanged(state, [name for name in served if ages[name]])
    for name, age in ages.items():
        workers, waiting = state.workers_for(name), state.backlogs[name]
        idle = [worker for worker in workers if worker.state == "idle"]
        if idle and age > STUCK_SECONDS and name in unchanged:
            what, cure = _stuck(name, waiting, idle[0]), _restart_cure(idle[0])
            found = Finding("worker_stuck", BROKEN, what, cure, waiting.since, subject=name)
            yield replace(found, host=idle[0].host, pid=idle[0].pid)
        # Not for the sync queue: a lane's successor waits there until the lane ends.
        elif name != SYNC and age > SLOW_SECONDS:
            what, cure = _slow(name, waiting, workers), _start_cure(name)
            yield Finding("queue_slow", WARNING, what, cure, waiting.since, subject=name)


def _active(state: QueueSnapshot) -> list[str]:
    """Return the queues from which workers should take jobs, because nobody paused them."""
    return [name for name in QUEUES if not state.suspended and not state.backlogs[name].paused]


def _unchanged(state: QueueSnapshot, names: Sequence[str]) -> set[str]:
    """Return the queues in which for `STILL_SECONDS` the oldest job was the same and no job ended.

    An idle worker alone proves nothing, because between two jobs a worker is idle for an instant.
    """
    if not names:
        return set()
    moment, totals, unchanged = state.moment, counters.totals(names), set()
    seen = cast(dict[bytes, bytes], valkey().hgetall(SEEN_KEY))
    for name in names:
        ended = sum(totals[name].values())
        mark = f"{state.backlogs[name].oldest_id} {ended}"
        before, _space, since = seen.get(name.encode(), b"").decode().rpartition(" ")
        if before != mark:
            valkey().hset(SEEN_KEY, name, f"{mark} {moment}")
        elif moment - int(since) >= STILL_SECONDS:
            unchanged.add(name)
    return unchanged


def _figures(name: str, waiting: Backlog) -> dict[str, Any]:
    """Return the values for the placeholders of sentences about waiting jobs."""
    count = lazy_decimal(waiting.count)
    return {"count": count, "queue": name, "age": waiting.seconds or 0}


def _no_consumer(name: str, waiting: Backlog) -> LazyString:
    return _(
        "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik) dan tidak "
        "ada worker yang mendengarkannya.",
        **_figures(name, waiting),
    )


def _cause(name: str, state: QueueSnapshot) -> LazyString:
    """Return the most likely reason why no worker listens to a queue."""
    if living := [worker for worker in state.workers if worker.alive and is_ours(worker)]:
        served = sorted({other for worker in living for other in worker.queues})
        return _("Worker yang hidup hanya mendengarkan: %(queues)s.", queues=", ".join(served))
    if dead := [worker.name for worker in state.workers if name in worker.queues]:
        return _("Worker terakhirnya, %(name)s, mati mendadak.", name=dead[-1])
    return _(
        "Belum ada worker di %(url)s; worker yang dijalankan dengan perintah rq mungkin "
        "memakai REDIS_URL lain, sebab rq tidak membaca .env (kecuali dengan -c rq_settings).",
        url=address(),
    )


def _start_cure(name: str) -> LazyString:
    return _(
        "Jalankan: %(ours)s (semua antrian), atau: %(plain)s",
        ours="./run worker",
        plain=f"./run rq worker {name}",
    )


def _restart_cure(worker: WorkerInfo) -> LazyString:
    return _(
        "Jalankan ulang worker: %(command)s. Bila ia tetap diam, di %(host)s: %(kill)s",
        command="./run queue restart",
        host=worker.host or "?",
        kill=f"kill -9 {worker.pid}",
    )


def _stuck(name: str, waiting: Backlog, idle: WorkerInfo) -> LazyString:
    return _(
        "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik) padahal "
        "worker %(worker)s menganggur: ia macet.",
        **_figures(name, waiting),
        worker=idle.name,
    )


def _slow(name: str, waiting: Backlog, workers: list[WorkerInfo]) -> LazyString:
    return _(
        "%(count)s pekerjaan menunggu di antrian %(queue)s (tertua %(age)d detik): "
        "%(workers)d worker tidak cukup, atau pekerjaannya macet.",
        **_figures(name, waiting),
        workers=len(workers),
    )
