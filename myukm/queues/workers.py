"""Snapshot of RQ workers and backlogs, used by stall reasons, the doctor and the metrics.

RQ's registry lists a killed worker for minutes, and loses living workers if Valkey restarts empty.
So the worker's connection decides: it carries the worker's name and ends with the process.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import redis
from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError, ResponseError
from rq.registry import StartedJobRegistry
from rq.suspension import WORKERS_SUSPENDED
from rq.worker import Worker

from myukm.cache import ttl_cache
from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.queues import backlogs
from myukm.queues.backlogs import Backlog, moment
from myukm.queues.jobs import QUEUES

# Seconds. Plain RQ workers send a heartbeat every 30 s while they run a job; ours always every 5 s,
# and announce that interval in `HEARTBEAT_FIELD`.
WORKER_HEARTBEAT_TIMEOUT = 45
HEARTBEAT_FIELD = "beat_seconds"
UNNAMED = "unknown"  # RQ's `ip_address` of a worker if Valkey refuses to name connections
# When one of our workers last sent a heartbeat, by Valkey's clock. RQ's own `last_heartbeat` is by
# the clock of the worker's host.
SEEN_FIELD = "seen"
# The database and the code of the worker's last job (`jobs/introduction.py`).
DATABASE_FIELD, VERSION_FIELD = "myukm_database", "myukm_version"
KEEP_SECONDS = 60  # by which `keep_running_jobs` extends a job
PAUSED = "queue_paused"
BLOCKING_COMMANDS = frozenset({"blmove", "blpop", "brpoplpush"})


@dataclass(frozen=True)
class WorkerInfo:
    """A worker as registered in Valkey. `alive`: its process runs. `ours`: started by `worker.py`,
    which restarts it, not by plain `rq worker`. `named`: its connection could be given its name.
    `database` and `version`: those that its jobs use, "" while unknown."""

    name: str
    queues: tuple[str, ...]
    state: str
    alive: bool
    ours: bool
    named: bool
    pid: int | None
    host: str
    started_at: datetime | None
    last_heartbeat: datetime | None
    job_id: str | None
    database: str
    version: str


@dataclass(frozen=True)
class QueueSnapshot:
    """Queues and workers at one moment, in seconds of Valkey's clock."""

    suspended: bool
    workers: tuple[WorkerInfo, ...]
    backlogs: Mapping[str, Backlog]
    moment: int

    def workers_for(self, name: str) -> list[WorkerInfo]:
        """Return the living workers of that queue."""
        return [worker for worker in self.workers if worker.alive and name in worker.queues]


def is_ours(worker: WorkerInfo) -> bool:
    """Return whether a worker listens to one of our queues; others belong to other programs."""
    return not set(QUEUES).isdisjoint(worker.queues)


@ttl_cache(1.0)
def snapshot() -> QueueSnapshot:
    """Return workers and backlogs, cached for a second. Raises `RedisError`."""
    clients = _clients(valkey())
    with valkey().pipeline(transaction=False) as pipe:
        pipe.exists(WORKERS_SUSPENDED)
        pipe.smembers(Worker.redis_workers_keys)
        pipe.time()
        backlogs.add_reads(pipe)
        suspended, keys, (now, _micros), *lists = pipe.execute()
        heads = backlogs.heads(pipe, lists)
        keys = sorted(keys)
        for key in keys:
            pipe.hgetall(key)
        backlogs.add_time_reads(pipe, heads)
        answers = pipe.execute()
        rows = {key: row for key, row in zip(keys, answers, strict=False) if row}
        busy = [key for key, row in rows.items() if row.get(b"state") == b"busy"]
        for key in busy:
            pipe.smembers(key + b":executions")
        jobs = dict(zip(busy, pipe.execute(), strict=True))
    return QueueSnapshot(
        bool(suspended),
        tuple(_worker_info(key, row, jobs.get(key, ()), clients, now) for key, row in rows.items()),
        backlogs.with_times(heads, answers[len(keys) :]),
        now,
    )


def keep_running_jobs(client: redis.Redis) -> None:
    """Extend the running jobs of connected workers, because RQ fails jobs that have expired by our
    clock.

    A worker extends its job by the clock of its own host, which may be behind.
    """
    clients = _clients(client)
    names = clients.names if clients else ()
    if not names:
        return
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.smembers(f"{Worker.redis_worker_namespace_prefix}{name}:executions")
        running = set().union(*pipe.execute())
        later = time.time() + KEEP_SECONDS
        for key in (StartedJobRegistry(name, connection=client).key for name in QUEUES):
            for execution in running:
                pipe.zadd(key, {execution: later}, xx=True, gt=True)
        pipe.execute()


def unserved_reason(name: str) -> tuple[str, Any] | None:
    """Return why no worker takes jobs from a queue, as code and lazy sentence; None if a worker
    does."""
    try:
        state = snapshot()
    except RedisError:
        return "valkey_unreachable", _("Valkey tidak menjawab")
    if state.suspended:
        return "workers_suspended", _("semua worker ditangguhkan (rq suspend)")
    if state.backlogs[name].paused:
        return PAUSED, _("antrian %(queue)s dijeda", queue=name)
    if not state.workers_for(name):
        return "no_worker", _("tidak ada worker yang mendengarkan antrian %(queue)s", queue=name)
    return None


@dataclass(frozen=True)
class _Clients:
    """Valkey's client connections: their names, and whether an unnamed one waits for jobs."""

    names: frozenset[str]
    has_unnamed_waiter: bool

    @cached_property
    def since(self) -> datetime:
        """Since when connections can exist: Valkey's start, or up to a second later, because its
        uptime is in whole seconds."""
        uptime = timedelta(seconds=valkey().info("server")["uptime_in_seconds"])
        return utcnow() - uptime + timedelta(seconds=1)


def _clients(client: redis.Redis) -> _Clients | None:
    """Return the connections; None if the server refuses `CLIENT LIST`."""
    try:
        listed = client.client_list()
    except ResponseError:
        return None
    has_unnamed_waiter = any(
        not client["name"] and client["cmd"] in BLOCKING_COMMANDS for client in listed
    )
    return _Clients(frozenset(client["name"] for client in listed), has_unnamed_waiter)


def _worker_info(
    key: bytes,
    row: Mapping[bytes, bytes],
    jobs: Iterable[bytes],
    clients: _Clients | None,
    now: int,
) -> WorkerInfo:
    values = {field.decode(): value.decode() for field, value in row.items()}
    name = key.decode().removeprefix(Worker.redis_worker_namespace_prefix)
    named = values.get("ip_address") != UNNAMED
    clients = clients if named else None  # an unnamed connection does not show whose it is
    return WorkerInfo(
        name=name,
        queues=tuple(filter(None, values.get("queues", "").split(","))),
        state=values.get("state", "?"),
        alive=_alive(name, values, clients, now),
        ours=HEARTBEAT_FIELD in values,
        named=named,
        pid=int(values["pid"]) if values.get("pid") else None,
        host=values.get("hostname", ""),
        started_at=moment(values.get("birth")),
        last_heartbeat=_last_seen(values),
        job_id=next((job.decode().split(":")[0] for job in jobs), None),
        database=values.get(DATABASE_FIELD, ""),
        version=values.get(VERSION_FIELD, ""),
    )


def _last_seen(values: Mapping[str, str]) -> datetime | None:
    if SEEN_FIELD in values:
        return datetime.fromtimestamp(int(values[SEEN_FIELD]), UTC)
    return moment(values.get("last_heartbeat"))


def _alive(name: str, values: Mapping[str, str], clients: _Clients | None, now: int) -> bool:
    seen, birth = _last_seen(values), moment(values.get("birth"))
    fresh = seen is not None and now - seen.timestamp() < WORKER_HEARTBEAT_TIMEOUT
    if HEARTBEAT_FIELD in values:
        return fresh and (clients is None or name in clients.names)
    if clients is None or name in clients.names:
        return True
    if birth is None or birth > clients.since:
        return False
    # After a restart of Valkey plain RQ workers reconnect without their name.
    return fresh if values.get("state") == "busy" else clients.has_unnamed_waiter
