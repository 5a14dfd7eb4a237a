"""Programs started as forks of a process that has imported them: a start takes a hundredth."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from devtools.process_tree import ManagedProcess
from tests.support import namespaces


def can_fork(argv: Sequence[str]) -> bool:
    """Return whether the fork server can run this command."""
    return argv[0] in {"gunicorn", "flask", "rq"} or tuple(argv[:2]) == ("python", "worker.py")


class ForkedProcess(ManagedProcess):
    """A program of the fork server (fork_server.py), which has imported it already.

    It is watched by a reaper as every `ManagedProcess`; its output goes to the file `log`.
    """

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], log: Path) -> None:
        request = {"argv": argv, "cwd": str(cwd), "env": dict(env), "log": str(log)}
        request["task"] = namespaces.here()
        reaper: Any = _Reaper(fork_server("web" if argv[0] == "gunicorn" else "plain"), request)
        self._reaper = reaper


class _Reaper:
    """The reaper of a forked program, with those methods of Popen that `ManagedProcess` calls."""

    stdin = stdout = None

    def __init__(self, address: str, request: object) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(address)
        self._connection.sendall(json.dumps(request).encode() + b"\n")
        self.pid = int(self._connection.makefile("rb", buffering=0).readline())
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return the exit status if the program has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, -9 if the reaper itself was killed."""
        if self._status is None:
            self._connection.settimeout(timeout)
            try:
                last = self._connection.recv(1)
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
            self._status = last[0] if last else -signal.SIGKILL
            self._connection.close()
        return self._status

    def send_signal(self, number: int) -> None:
        """Send a signal to the reaper, which forwards it."""
        os.kill(self.pid, number)


@cache
def fork_server(kind: str) -> str:
    """Start this process's fork server for programs of that kind, once; return its address.

    It ends with this process.
    """
    # No TemporaryDirectory: multiprocessing's forks forget what atexit holds, and would remove it.
    folder = tempfile.mkdtemp(prefix="myukm-fork-")
    address = f"{folder}/socket"
    server = ManagedProcess.python(
        "-m", "tests.support.fork_server", address, kind, cwd=Path(__file__).parents[2]
    )
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.kill)
    assert server.read_line() == "ready", "\n".join(server.lines())
    return address
