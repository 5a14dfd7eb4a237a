"""Checks of dead workers, hung jobs and failed jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from flask import current_app
from flask_babel import lazy_gettext as _
from rq.job import Job

from myukm.db.types import utcnow
from myukm.domain.sync.lane_job import hung_seconds
from myukm.domain.sync.queueing import is_lane
from myukm.extensions import valkey
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.stats import health
from myukm.queues import job_heartbeats
from myukm.queues.backlogs import moment
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import FAILURE_SECONDS, QUEUES, SYNC
from myukm.queues.workers import WorkerInfo, snapshot
from myukm.sentences import joined, lazy_decimal

HOUR_SECONDS, MAX_COUNTED = 3600, 1000
MAX_AHEAD_SECONDS = 60  # of a worker's clock
# RQ ends a job at its time-out; a job that still runs after this time hangs.
OVERTIME = timedelta(seconds=10)


def dead() -> Iterator[Finding]:
    """Workers that ended without unregistering (killed, or out of memory) and left one of our
    queues without a worker. One finding per machine."""
    state = snapshot()
    lost: dict[str, list[WorkerInfo]] = {}
    for worker in state.workers:
        if not worker.alive and any(not state.workers_for(name) for name in our_queues(worker)):
            lost.setdefault(worker.host, []).append(worker)
    for host, workers in lost.items():
        heartbeats = [worker.last_heartbeat for worker in workers if worker.last_heartbeat]
        yield Finding(
            "worker_died",
            WARNING,
            _(
                "Worker %(name)s (antrian %(queues)s) mati mendadak.",
                name=", ".join(worker.name for worker in workers),
                queues=", ".join(dict.fromkeys(q for each in workers for q in our_queues(each))),
            ),
            _(
                "Bila tidak disengaja, periksa memori server dan log worker. Catatan ini "
                "hilang sendiri dalam beberapa menit."
            ),
            min(heartbeats, default=None),
            subject=host,
            extent=len(workers),
            host=host,
        )


def our_queues(worker: WorkerInfo) -> list[str]:
    """Return which of our queues a worker listens to; none for a worker of another program."""
    return [name for name in QUEUES if name in worker.queues]


def hung() -> Iterator[Finding]:
    """A job whose process hangs: a lane without heartbeats, or a job beyond its own time-out."""
    busy = [worker for worker in snapshot().workers if worker.alive and worker.job_id]
    with valkey().pipeline(transaction=False) as pipe:
        for worker in busy:
            pipe.hmget(Job.key_for(str(worker.job_id)), "started_at", "timeout")
        times = pipe.execute()
    lanes = [str(worker.job_id) for worker in busy if is_lane(str(worker.job_id))]
    silent = job_heartbeats.silent(valkey(), lanes)
    allowed = timedelta(seconds=hung_seconds(current_app.config))
    for worker, (started, timeout) in zip(busy, times, strict=True):
        limit = allowed if worker.job_id in silent else _time_limit(timeout)
        since = moment(started)
        if since and limit and utcnow() - since > limit:
            yield _hung(worker, since)


def _time_limit(timeout: bytes | None) -> timedelta | None:
    """Return how long a job with this time-out (seconds) may run, with `OVERTIME`; None if there is
    no limit, or the job is damaged."""
    seconds = int(timeout) if timeout and timeout.isdigit() else 0
    return timedelta(seconds=seconds) + OVERTIME if seconds > 0 else None


def _hung(worker: WorkerInfo, since: datetime) -> Finding:
    where = {"host": worker.host or "?", "pid": worker.pid or "?"}
    kill = _("Jalankan di %(host)s: %(command)s", command=f"pkill -KILL -P {worker.pid}", **where)
    return Finding(
        "job_hung",
        BROKEN,
        _(
            "Pekerjaan %(job)s macet di worker %(worker)s (%(host)s, proses %(pid)s).",
            job=worker.job_id,
            worker=worker.name,
            **where,
        ),
        _("worker.py membunuhnya sendiri dalam setengah menit.") if worker.ours else kill,
        since,
        subject=worker.name,
        host=worker.host,
        pid=worker.pid,
        people=1,
        heals=worker.ours,
    )


def unnamed() -> Iterator[Finding]:
    """Valkey refuses to name connections, so a dead worker is noticed by its missing heartbeat, and
    not at once by its lost connection."""
    if any(not worker.named for worker in snapshot().workers):
        yield Finding(
            "unnamed_connections",
            WARNING,
            _(
                "Valkey menolak CLIENT SETNAME: worker yang mati mendadak baru terlihat setelah "
                "detaknya berhenti."
            ),
            _("Izinkan perintah CLIENT bagi pengguna Valkey MyUKM (ACL: +client)."),
        )


def failed() -> Iterator[Finding]:
    """Jobs that failed within the last hour and were neither retried nor deleted.

    Lanes do not count: another lane has continued the run, or the run itself reports its failure.
    """
    # The failed-job registry is sorted by expiry: the time of the failure plus `FAILURE_SECONDS`.
    # A job that expires later belongs to another program (RQ's default is a year): not counted.
    until = utcnow().timestamp() + FAILURE_SECONDS + MAX_AHEAD_SECONDS
    since = until - MAX_AHEAD_SECONDS - HOUR_SECONDS
    for name in QUEUES:
        key = get_queue(name).failed_job_registry.key
        count = valkey().zcount(key, since, until)
        if count and name == SYNC:
            ids = cast(list[bytes], valkey().zrangebyscore(key, since, until, 0, MAX_COUNTED))
            count = sum(not is_lane(each.decode()) for each in ids)
        if not count:
            continue
        what = _(
            "%(count)s pekerjaan di antrian %(queue)s gagal dalam satu jam terakhir.",
            count=lazy_decimal(count),
            queue=name,
        )
        latest = health()["latest_failures"]
        rows = [row for row in latest if row["queue"] == name and not is_lane(row["id"])]
        last = f"{rows[0]['job']}: {rows[0]['error']}" if rows else ""
        cure = _(
            "Lihat: %(show)s. Ulangi: %(retry)s. Atau hapus: %(clear)s",
            show="./run queue failed",
            retry="./run queue retry --all",
            clear=f"./run queue clear {name} --failed",
        )
        message = joined(what, last) if last else what
        yield Finding("jobs_failed", WARNING, message, cure, subject=name, people=count)
