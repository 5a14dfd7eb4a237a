"""Starts every part of the demo, keeps it running, and takes all of it down again."""

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from config import INSTANCE, ROOT
from demo.banner import not_ready, welcome
from demo.environment import Addresses
from demo.process_runner import RestartingProcess
from devtools.messages import echo
from devtools.ports import HOST
from devtools.process_tree import ManagedProcess
from devtools.valkey import command

LOGS = INSTANCE / "log"
WARM_SECONDS = 8.0
READY_SECONDS = 60.0


class Supervisor:
    """The demo's processes. `data` is the Valkey data folder, `data_lock` its lock."""

    def __init__(self, addresses: Addresses, data: Path, data_lock: IO[bytes]) -> None:
        self._addresses = addresses
        self._env = {**os.environ, **addresses.environment(), "PYTHONUNBUFFERED": "1"}
        self._stop = threading.Event()
        python = sys.executable
        self._valkey = self._keeper(
            "valkey", *command(data, addresses.valkey), pass_fds=[data_lock.fileno()]
        )
        self._simulator = self._keeper(
            "simulator",
            *(python, "-m", "devtools.simulator", "--latency-ms", "20", "--fail", "500=0.005"),
            *("--port", str(addresses.api)),
        )
        self._worker = self._keeper("worker", python, "worker.py")
        self._web = self._keeper(
            "web", python, "-m", "gunicorn", "wsgi:app", "-b", f"{HOST}:{addresses.web}"
        )

    def run(self, announce: Callable[[str], None]) -> int:
        """Run until a signal ends it and return the exit status; `announce` gets the address."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            return self._run(announce)
        finally:
            self._take_down()

    def _run(self, announce: Callable[[str], None]) -> int:
        for keeper in (self._valkey, self._simulator):
            keeper.start()
        if not self._prepared():
            return 1
        for keeper in (self._worker, self._web):
            keeper.start()
        if self._until(self._ready, READY_SECONDS):
            announce(self._addresses.web_url)
            welcome(self._addresses)
        elif not self._stop.is_set():
            not_ready(LOGS)
        self._stop.wait()
        return 0

    def _keeper(self, name: str, *argv: str, pass_fds: Sequence[int] = ()) -> RestartingProcess:
        log = LOGS / f"{name}.log"
        return RestartingProcess(name, argv, log, cwd=ROOT, env=self._env, pass_fds=pass_fds)

    def _prepared(self) -> bool:
        """Bring the database up to date and fill an empty one, in a process of its own."""
        echo("Menyiapkan basis data …", "Preparing the database …")
        child = ManagedProcess([sys.executable, "-m", "demo.seed"], cwd=ROOT, env=self._env)
        lines = list(child.lines())
        (LOGS / "prepare.log").write_text("\n".join(lines))
        if child.kill() == 0:
            return True
        last = lines[-1] if lines else "-"
        echo(f"Basis data gagal disiapkan: {last}", f"The database could not be prepared: {last}")
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

    def _on_signal(self, *_: object) -> None:
        """The first signal stops everything in order, the second at once."""
        if self._stop.is_set():
            for keeper in self._keepers():
                keeper.quit()
        self._stop.set()

    def _take_down(self) -> None:
        """Web and worker first: what they still do needs Valkey and the API."""
        echo("Menghentikan demo …", "Stopping the demo …")
        deadline = time.monotonic() + WARM_SECONDS
        for group in ((self._web, self._worker), (self._simulator, self._valkey)):
            running = [keeper for keeper in group if keeper.is_alive()]
            for keeper in running:
                keeper.stop()
            for keeper in running:
                keeper.join(max(deadline - time.monotonic(), 0.5))
                keeper.quit()
                keeper.join()

    def _keepers(self) -> list[RestartingProcess]:
        return [self._web, self._worker, self._simulator, self._valkey]
