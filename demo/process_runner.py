"""Keeps one program running: restarts it whenever it exits, whatever the status."""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from demo.logs import BoundedLog
from devtools.messages import echo
from devtools.process_tree import ManagedProcess, kill_orphans
from myukm.backoff import backoff
from myukm.catalogue import N_

QUICK_SECONDS = 5.0
FIRST_PAUSE, MAX_PAUSE = 0.1, 10.0
MAX_QUICK_ENDS = 3
SILENCE_SECONDS = 5.0
IMPORTANT = re.compile(r"\b(ERROR|CRITICAL)\b")


class RestartingProcess(threading.Thread):
    """A thread that runs `argv` until `stop`, logs its output and reports its exits.

    The log gets every line, the terminal at most one error per `SILENCE_SECONDS`.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        *,
        cwd: Path,
        env: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._start_child = partial(ManagedProcess, argv, cwd=cwd, env=env, pass_fds=pass_fds)
        self._log = BoundedLog(log)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._silent_until = 0.0
        self.child: ManagedProcess | None = None

    def run(self) -> None:
        quick_ends = 0
        while (child := self._next_child()) is not None:
            since = time.monotonic()
            self._read(child)
            status = child.kill()
            if status < 0:
                kill_orphans()
            if self._stopping.is_set():
                break
            quick_ends = quick_ends + 1 if time.monotonic() - since < QUICK_SECONDS else 0
            self._report(status, quick_ends)
            self._stopping.wait(backoff(FIRST_PAUSE, MAX_PAUSE, quick_ends))

    def stop(self) -> None:
        """Ask the program to stop, and do not restart it; `join` waits for its end."""
        with self._lock:
            self._stopping.set()
            if self.child:
                self.child.terminate()

    def kill(self) -> None:
        """Kill the program and all its descendants now."""
        with self._lock:
            self._stopping.set()
            if self.child:
                self.child.kill_nowait()

    def _next_child(self) -> ManagedProcess | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self.child = self._start_child()
            return self.child

    def _read(self, child: ManagedProcess) -> None:
        self._log.tail.clear()
        for line in child.lines():
            self._log.write(line)
            if IMPORTANT.search(line) and time.monotonic() >= self._silent_until:
                self._silent_until = time.monotonic() + SILENCE_SECONDS
                echo(f"{self.name}: {line}")

    def _report(self, status: int, quick_ends: int) -> None:
        if quick_ends < MAX_QUICK_ENDS:
            text = N_("%(name)s berhenti (status %(status)d), dimulai lagi.")
            echo(text, name=self.name, status=status)
            return
        last = " | ".join(self._log.tail) or "-"
        text = N_("%(name)s terus berhenti (status %(status)d); akhir %(log)s: %(last)s")
        echo(text, name=self.name, status=status, log=self._log.path, last=last)
