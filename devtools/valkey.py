"""The embedded Valkey: one server per data folder, which ends with the process that started it."""

import os
import signal
import socket
import time
from pathlib import Path
from typing import Self

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from devtools.reaper import descendants
from myukm.embedded_valkey import HOST, ValkeyError, command, lock_data

START_SECONDS = 20.0


class Valkey:
    """A running server on `port`; `pid` is the server's process id, `url` the address."""

    def __init__(self, child: ManagedProcess, port: int, pid: int) -> None:
        self._child = child
        self.port = port
        self.pid = pid
        self.url = f"redis://{HOST}:{port}/0"

    def running(self) -> bool:
        return self._child.running()

    def kill(self) -> None:
        """Crash the server (SIGKILL); up to a second of acknowledged writes may be lost."""
        if self.running():
            os.kill(self.pid, signal.SIGKILL)
        self._child.kill()

    def stop(self, timeout: float = 5.0) -> None:
        """Shut the server down with its data saved, within `timeout` seconds. Idempotent."""
        self._child.stop(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_valkey(data_dir: Path, port: int | None = None) -> Valkey:
    """Start a server on `data_dir` and return it when it answers.

    `port` None or 0 chooses a free one. Raises `ValkeyError` if the folder's server is already
    running or this one does not start.
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


def wait_ready(child: ManagedProcess, port: int) -> int:
    """Wait until our server answers on `port` and return its process id. Raises `ValkeyError`."""
    deadline = time.monotonic() + START_SECONDS
    while child.running() and time.monotonic() < deadline:
        pid = _server_pid(port)
        if pid and pid in descendants(child.pid):
            return pid
        time.sleep(0.005)
    raise ValkeyError(f"Valkey did not start on port {port}")


def _server_pid(port: int) -> int | None:
    """Return the process id that the server reports, None until its data is loaded."""
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
