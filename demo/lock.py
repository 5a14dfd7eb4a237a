"""The lock that allows one demo per folder, and `demo.env` for other commands while it runs."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Commands that load their settings test the lock, which holds it for an instant; a demo holds it
# for longer than these attempts.
ATTEMPTS = 10
PAUSE_SECONDS = 0.03


class AlreadyRunningError(Exception):
    """A demo is running in this folder; the message is the text in its lock file."""


@contextmanager
def demo_lock(instance: Path) -> Iterator[IO[str]]:
    """Hold the folder's lock and yield its file, whose text a second demo shows.

    Raises `AlreadyRunningError`.
    """
    with (instance / "demo.lock").open("a+", encoding="utf-8") as lock:
        if not _locked(lock):
            lock.seek(0)
            raise AlreadyRunningError(", ".join(lock.read().splitlines()))
        lock.truncate(0)
        print(f"PID {os.getpid()}", file=lock, flush=True)
        yield lock
        lock.truncate(0)


def _locked(lock: IO[str]) -> bool:
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        else:
            return True
    return False


@contextmanager
def publish_env(instance: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Write `demo.env` with the settings for other commands, and delete it at the end."""
    path = instance / "demo.env"
    draft = instance / f"demo.env.{os.getpid()}"
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    draft.write_text(lines, encoding="utf-8")
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
