"""The web and worker processes that live, and how often processes of each machine started."""

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

from myukm.extensions import valkey

KEY, STARTS_KEY, WEB_KEY = "myukm:processes", "myukm:starts", "myukm:web:seen"
BEAT_SECONDS, FORGET_SECONDS = 5.0, 20
MOST_STARTS, WITHIN_SECONDS = 100, 60
REMEMBER_SECONDS = 86_400


@dataclass(frozen=True)
class Process:
    """A process: `role` is web or worker, `at` its last beat by Valkey's clock, `descriptors` the
    share of file descriptors in use."""

    host: str
    pid: int
    role: str
    at: int
    descriptors: float


class ProcessBeat:
    """Publishes this process every five seconds. A periodic task of every process."""

    def __init__(self) -> None:
        self._next, self._started = 0.0, False

    def run(self) -> None:
        """Publish it, if that is due."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        moment = valkey().time()[0]
        own = Process(socket.gethostname(), os.getpid(), role(), moment, descriptors_used())
        valkey().hset(KEY, f"{own.host}:{own.pid}", json.dumps(asdict(own)))
        if own.role == "web":
            valkey().set(WEB_KEY, 1, ex=REMEMBER_SECONDS)
        if not self._started:
            key = f"{STARTS_KEY}:{own.host}:{own.role}"
            valkey().lpush(key, moment)
            valkey().ltrim(key, 0, MOST_STARTS)
            valkey().expire(key, WITHIN_SECONDS)
            self._started = True


def role() -> str:
    """Return what this process is."""
    return "worker" if sys.argv[0].endswith("worker.py") else "web"


def descriptors_used() -> float:
    """Return which share of the file descriptors that this process may open it has open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return len(os.listdir(folder)) / limit if limit > 0 else 0.0


def living() -> Sequence[Process]:
    """Return the processes that beat, and forget the others."""
    moment = valkey().time()[0]
    entries = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    all_known = {name: Process(**json.loads(entry)) for name, entry in entries.items()}
    dead = [name for name, each in all_known.items() if each.at < moment - FORGET_SECONDS]
    if dead:
        valkey().hdel(KEY, *dead)
    return [each for name, each in all_known.items() if name not in dead]


def web_was_seen() -> bool:
    """Return whether a web process ran within the last day."""
    return bool(valkey().exists(WEB_KEY))


def starts(host: str, of_role: str) -> int:
    """Return how many processes of a machine started within the last minute."""
    moment = valkey().time()[0]
    listed = cast(list[bytes], valkey().lrange(f"{STARTS_KEY}:{host}:{of_role}", 0, -1))
    return sum(int(at) > moment - WITHIN_SECONDS for at in listed)
