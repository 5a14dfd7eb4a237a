"""Who listens to the queues: what a stalled run's reason, the doctor and the figures go by.

RQ's register shows a killed worker for minutes and loses a living one when Valkey loses its
memory. Its connection tells better: it carries the worker's name and ends with the process.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from redis.exceptions import RedisError, ResponseError
from rq.job import Job
from rq.suspension import WORKERS_SUSPENDED
from rq.utils import utcparse
from rq.worker import Worker

from myukm.database import utcnow
from myukm.extensions import valkey
from myukm.queues import QUEUES, queue
from myukm.recent import recent

# A worker of RQ's beats every 30 s while it works, ours (which say so) every 5 s always.
SILENT_SECONDS = 45
STEADY = "beat_seconds"
BLOCKED = frozenset({"blmove", "blpop", "brpoplpush"})


@dataclass(frozen=True)
class Listener:
    """A worker as Valkey knows it: `alive` when it is there and may take jobs, `ours` when it is
    one of `worker.py`'s (which restarts by itself), not plain `rq worker`."""

    name: str
    queues: tuple[str, ...]
    state: str
    alive: bool
    ours: bool
    pid: int | None
    host: str
    born: datetime | None
    beat: datetime | None
    job_id: str | None


@dataclass(frozen=True)
class Waiting:
    """What waits in a queue: how many jobs, and the oldest one with its moment."""

    count: int
    oldest_id: str | None
    since: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long the oldest job has waited."""
        return max(0.0, (utcnow() - self.since).total_seconds()) if self.since else None


@dataclass(frozen=True)
class Scene:
    """The queues and the workers at one moment."""

    suspended: bool
    workers: tuple[Listener, ...]
    waiting: Mapping[str, Waiting]

    def serving(self, name: str) -> list[Listener]:
        """Return the living workers that listen to that queue."""
        return [worker for worker in self.workers if worker.alive and name in worker.queues]


@recent(1.0)
def look() -> Scene:
    """Return who listens and what waits; at most a second old. Raises `RedisError`."""
    clients = _clients()
    with valkey().pipeline(transaction=False) as pipe:
        pipe.exists(WORKERS_SUSPENDED)
        pipe.smembers(Worker.redis_workers_keys)
        for name in QUEUES:
            pipe.llen(queue(name).key)
            pipe.lindex(queue(name).key, 0)
        suspended, keys, *lists = pipe.execute()
        heads = dict(zip(QUEUES, zip(lists[::2], lists[1::2], strict=True), strict=True))
        keys = sorted(keys)
        for key in keys:
            pipe.hgetall(key)
            pipe.smembers(key + b":executions")
        for _count, head in heads.values():
            pipe.hget(Job.key_for((head or b"").decode()), "enqueued_at")
        answers = pipe.execute()
    moments = answers[2 * len(keys) :]
    rows = zip(keys, answers[: 2 * len(keys) : 2], answers[1 : 2 * len(keys) : 2], strict=True)
    return Scene(
        bool(suspended),
        tuple(_listener(key, row, jobs, clients) for key, row, jobs in rows if row),
        {
            name: Waiting(count, head and head.decode(), _moment(at))
            for (name, (count, head)), at in zip(heads.items(), moments, strict=True)
        },
    )


def why_not_served(name: str) -> tuple[str, str] | None:
    """Return why nobody takes jobs from a queue, as code and sentence; None when somebody does."""
    try:
        scene = look()
    except RedisError:
        return "valkey_unreachable", _("Valkey tidak menjawab")
    if scene.suspended:
        return "workers_suspended", _("semua worker ditangguhkan (rq suspend)")
    if not scene.serving(name):
        return "no_worker", _("tidak ada worker yang mendengarkan antrian %(queue)s", queue=name)
    return None


@dataclass(frozen=True)
class _Clients:
    """The connections: their names, whether a nameless one waits for jobs, since when all are."""

    names: frozenset[str]
    nameless: bool
    since: datetime


def _clients() -> _Clients | None:
    """Return who is connected; None where the server does not tell."""
    try:
        listed = valkey().client_list()
        uptime = timedelta(seconds=valkey().info("server")["uptime_in_seconds"])
    except ResponseError:
        return None
    nameless = any(not client["name"] and client["cmd"] in BLOCKED for client in listed)
    # Its clock ticks in whole seconds.
    since = utcnow() - uptime + timedelta(seconds=1)
    return _Clients(frozenset(client["name"] for client in listed), nameless, since)


def _listener(
    key: bytes, row: Mapping[bytes, bytes], jobs: Iterable[bytes], clients: _Clients | None
) -> Listener:
    values = {field.decode(): value.decode() for field, value in row.items()}
    name = key.decode().removeprefix(Worker.redis_worker_namespace_prefix)
    return Listener(
        name=name,
        queues=tuple(filter(None, values.get("queues", "").split(","))),
        state=values.get("state", "?"),
        alive=_alive(name, values, clients),
        ours=STEADY in values,
        pid=int(values["pid"]) if values.get("pid") else None,
        host=values.get("hostname", ""),
        born=_moment(values.get("birth")),
        beat=_moment(values.get("last_heartbeat")),
        job_id=next((job.decode().split(":")[0] for job in jobs), None),
    )


def _alive(name: str, values: Mapping[str, str], clients: _Clients | None) -> bool:
    beat, birth = _moment(values.get("last_heartbeat")), _moment(values.get("birth"))
    fresh = beat is not None and (utcnow() - beat).total_seconds() < SILENT_SECONDS
    if STEADY in values:
        return fresh and (clients is None or name in clients.names)
    if clients is None or name in clients.names:
        return True
    if birth is None or birth > clients.since:
        return False
    # Valkey restarted: RQ's own workers come back without their name.
    return fresh if values.get("state") == "busy" else clients.nameless


def _moment(value: Any) -> datetime | None:
    if not value:
        return None
    return utcparse(value.decode() if isinstance(value, bytes) else value)
