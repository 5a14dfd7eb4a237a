"""The running web processes and, of each `worker.py`, the process of its periodic tasks; and how
often processes of each machine started."""

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

import msgspec
from flask import current_app

from myukm.extensions import valkey

KEY, STARTS_KEY, WEB_KEY = "myukm:processes", "myukm:starts", "myukm:web:seen"
START_TOTALS_KEY, STREAMS_KEY = "myukm:starts:total", "myukm:processes:streams"
HEARTBEAT_SECONDS, STALE_SECONDS = 5.0, 20
MAX_STARTS, STARTS_WINDOW_SECONDS = 100, 60
WEB_SEEN_TTL_SECONDS = 86_400


@dataclass(frozen=True)
class Process:
    """A process: `role` is web or worker, `at` its last heartbeat (seconds since 1970, by Valkey's
    clock), `descriptors` the share (0 to 1) of file descriptors in use."""

    host: str
    pid: int
    role: str
    at: int
    descriptors: float


class ProcessHeartbeat:
    """Sends this process's heartbeat every five seconds. A periodic task of every process."""

    def __init__(self) -> None:
        self._next, self._started = 0.0, False

    def run(self) -> None:
        """Send a heartbeat, unless the last one is less than five seconds ago; the first one also
        counts the start."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + HEARTBEAT_SECONDS
        moment = valkey().time()[0]
        own = Process(socket.gethostname(), os.getpid(), role(), moment, descriptors_used())
        name = f"{own.host}:{own.pid}"
        valkey().hset(KEY, name, json.dumps(asdict(own)))
        valkey().hset(STREAMS_KEY, name, _streams_here())
        if own.role == "web":
            valkey().set(WEB_KEY, 1, ex=WEB_SEEN_TTL_SECONDS)
        if not self._started:
            key = f"{STARTS_KEY}:{own.host}:{own.role}"
            valkey().lpush(key, moment)
            valkey().ltrim(key, 0, MAX_STARTS - 1)
            valkey().expire(key, STARTS_WINDOW_SECONDS)
            count_start(own.role)
            self._started = True


def count_start(name: str) -> None:
    """Count the start of a process: as web, as worker (the periodic tasks of `worker.py`), or by
    the name of the queue on whose jobs it works."""
    valkey().hincrby(START_TOTALS_KEY, name, 1)


def start_totals() -> dict[str, int]:
    """Return how many processes have started under each of these names since Valkey last lost its
    data."""
    found = cast(dict[bytes, bytes], valkey().hgetall(START_TOTALS_KEY))
    return {name.decode(): int(count) for name, count in found.items()}


def role() -> str:
    """Return what this process is: web or worker."""
    return "worker" if sys.argv[0].endswith("worker.py") else "web"


def descriptors_used() -> float:
    """Return the share (0 to 1) of this process's limit of file descriptors that is in use."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return len(os.listdir(folder)) / limit if limit > 0 else 0.0


def living(moment: int) -> Sequence[Process]:
    """Return the processes whose heartbeat is recent, and delete the others; `moment` is now by
    Valkey's clock (seconds)."""
    entries = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    all_known = {name: msgspec.json.decode(entry, type=Process) for name, entry in entries.items()}
    dead = [name for name, each in all_known.items() if each.at < moment - STALE_SECONDS]
    if dead:
        valkey().hdel(KEY, *dead)
        valkey().hdel(STREAMS_KEY, *dead)
    return [each for name, each in all_known.items() if name not in dead]


def open_streams() -> int:
    """Return how many streams the living processes have open."""
    counts = cast(dict[bytes, bytes], valkey().hgetall(STREAMS_KEY))
    names = (f"{each.host}:{each.pid}".encode() for each in living(valkey().time()[0]))
    return sum(int(counts.get(name, 0)) for name in names)


def _streams_here() -> int:
    hub = current_app.extensions.get("live_hub")
    return len(hub.streams.audience) if hub else 0


def web_was_seen() -> bool:
    """Return whether a web process ran within the last day."""
    return bool(valkey().exists(WEB_KEY))


def starts(host: str, of_role: str, moment: int) -> int:
    """Return how many processes of this role started on a host within the minute before `moment`,
    which is now by Valkey's clock (seconds)."""
    listed = cast(list[bytes], valkey().lrange(f"{STARTS_KEY}:{host}:{of_role}", 0, -1))
    return sum(int(at) > moment - STARTS_WINDOW_SECONDS for at in listed)
