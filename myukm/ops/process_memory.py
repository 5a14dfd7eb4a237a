"""Processes of web and worker that use more memory than `PROCESS_MEMORY_MB`, as each machine
reports them."""

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app

from myukm.extensions import valkey
from myukm.ops.process_registry import role

KEY = "myukm:processes:memory"
POLL_SECONDS, STALE_SECONDS = 5.0, 20
MEGABYTE = 1024 * 1024
PROC = Path("/proc")


@dataclass(frozen=True)
class LargeProcess:
    """A process above the limit; `role` is web or worker, also for a child of one."""

    host: str
    pid: int
    role: str
    megabytes: int


class MemoryReporter:
    """Measures the memory of this process, or in `worker.py` of all its processes, every 5 s.

    A periodic task of every process. It reports nothing where there is no `/proc`.
    """

    def __init__(self) -> None:
        self._next, self._published = 0.0, False

    def run(self) -> None:
        """Report the processes above the limit, or delete the last report if there is none. Does
        nothing if the last measurement is less than five seconds ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + POLL_SECONDS
        sizes = {pid: resident(pid) // MEGABYTE for pid in family()}
        limit = current_app.config["PROCESS_MEMORY_MB"]
        large = {pid: size for pid, size in sizes.items() if size > limit}
        name = f"{socket.gethostname()}:{os.getpid()}"
        if large:
            entry = {"role": role(), "at": valkey().time()[0], "large": large}
            valkey().hset(KEY, name, json.dumps(entry))
        elif self._published:
            valkey().hdel(KEY, name)
        self._published = bool(large)


def family() -> list[int]:
    """Return this process's id; in `worker.py` those of the supervisor and its descendants."""
    return list(_descendants(os.getppid())) if role() == "worker" else [os.getpid()]


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for thread in (PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):  # the process ended meanwhile
            for child in thread.read_text().split():
                yield from _descendants(int(child))


def resident(pid: int) -> int:
    """Return how many bytes of memory a process occupies, 0 if that is unknown."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def large_processes() -> Sequence[LargeProcess]:
    """Return the processes above the limit now, and delete old reports. Raises `RedisError`."""
    entries = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    if not entries:
        return ()
    oldest = valkey().time()[0] - STALE_SECONDS
    found = []
    for name, entry in entries.items():
        report, host = json.loads(entry), name.decode().rpartition(":")[0]
        if report["at"] < oldest:
            valkey().hdel(KEY, name)
            continue
        for pid, size in report["large"].items():
            found.append(LargeProcess(host, int(pid), report["role"], size))
    return found
