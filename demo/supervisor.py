"""Starts the demo's processes, restarts those that exit, and stops all of them at the end."""

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from demo.banner import not_ready, welcome
from demo.environment import Addresses
from demo.process_runner import RestartingProcess
from devtools.messages import echo
from devtools.ports import HOST
from devtools.process_tree import ManagedProcess
from myukm.catalogue import N_
from myukm.embedded_valkey import command
from myukm.settings.sources import INSTANCE, ROOT

LOGS = INSTANCE / "log"
STOP_SECONDS = 8.0  # how long the processes may take to stop before they are killed
READY_SECONDS = 60.0


class Supervisor:
    """The demo's four processes. `data` is Valkey's data folder, `data_lock` its lock file, which
    the Valkey process inherits."""

    def __init__(self, addresses: Addresses, data: Path, data_lock: IO[bytes]) -> None:
        self._addresses = addresses
        self._env = {**os.environ, **addresses.environment(), "PYTHONUNBUFFERED": "1"}
        self._stop = threading.Event()
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._seeding: ManagedProcess | None = None
        python = sys.executable
        self._valkey = self._process(
            "valkey", *command(data, addresses.valkey), pass_fds=[data_lock.fileno()]
        )
        self._simulator = self._process(
            "simulator",
            *(python, "-m", "devtools.simulator", "--latency-ms", "20", "--fail", "500=0.005"),
            *("--port", str(addresses.api)),
        )
        self._worker = self._process("worker", python, "worker.py")
        self._web = self._process(
            "web", python, "-m", "gunicorn", "wsgi:app", "-b", f"{HOST}:{addresses.web}"
        )

    def run(self, announce: Callable[[str], None]) -> int:
        """Run until a signal and return the exit status.

        `announce` is called with the address once the web server is ready.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: self._signals.put(number))
        threading.Thread(target=self._handle_signals, daemon=True).start()
        try:
            return self._run(announce)
        finally:
            self._take_down()

    def _run(self, announce: Callable[[str], None]) -> int:
        for process in (self._valkey, self._simulator):
            process.start()
        if not self._prepared():
            return 1
        if self._stop.is_set():
            return 0
        for process in (self._worker, self._web):
            process.start()
        if self._until(self._ready, READY_SECONDS):
            announce(self._addresses.web_url)
            welcome(self._addresses)
        elif not self._stop.is_set():
            not_ready(LOGS)
        self._stop.wait()
        return 0

    def _process(self, name: str, *argv: str, pass_fds: Sequence[int] = ()) -> RestartingProcess:
        log = LOGS / f"{name}.log"
        return RestartingProcess(name, argv, log, cwd=ROOT, env=self._env, pass_fds=pass_fds)

    def _prepared(self) -> bool:
        """Migrate and seed the database in a child process; return False only if that failed: a
        stop by a signal is no failure."""
        echo(N_("Menyiapkan basis data …"))
        child = ManagedProcess([sys.executable, "-m", "demo.seed"], cwd=ROOT, env=self._env)
        self._seeding = child
        if self._stop.is_set():
            child.terminate()
        lines = list(child.lines())
        (LOGS / "prepare.log").write_text("\n".join(lines), encoding="utf-8")
        if child.kill() == 0 or self._stop.is_set():
            return True
        last = lines[-1] if lines else "-"
        echo(N_("Basis data gagal disiapkan: %(why)s"), why=last)
        return False

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._addresses.web, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stop.wait(0.05):
            if condition():
                return True
        return False

    def _handle_signals(self) -> None:
        """Stop the processes in order at the first signal, kill them at the second.

        In a thread, because a signal handler would wait for ever for a lock that the main thread
        holds. A database that is half prepared is prepared by the next start.
        """
        while self._signals.get():
            if self._stop.is_set():
                for process in (self._web, self._worker, self._simulator, self._valkey):
                    process.kill()
            self._stop.set()
            if self._seeding:
                self._seeding.terminate()

    def _take_down(self) -> None:
        """Stop web and worker first, because they still need Valkey and the API."""
        echo(N_("Menghentikan demo …"))
        deadline = time.monotonic() + STOP_SECONDS
        for group in ((self._web, self._worker), (self._simulator, self._valkey)):
            running = [process for process in group if process.is_alive()]
            for process in running:
                process.stop()
            for process in running:
                process.join(max(deadline - time.monotonic(), 0.5))
                process.kill()
                process.join()
