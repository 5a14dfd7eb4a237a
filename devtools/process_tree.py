"""Child processes that never outlive this process and leave no descendants behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from devtools.reaper import LINUX, descendants, kill, processes

REAPER = Path(__file__).with_name("reaper.py")
# Isolated mode without site-packages, because the reaper needs neither and so starts faster.
_INTERPRETER = (sys.executable, "-I", "-S")

_starting = threading.Lock()
_reapers: set[int] = set()


class ManagedProcess:
    """A program run below a reaper process (reaper.py); its stdout and stderr are read here.

    `env` replaces the environment; the program inherits the descriptors `pass_fds`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        with _starting:
            self._reaper = subprocess.Popen(
                [*_INTERPRETER, str(REAPER), *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                pass_fds=pass_fds,
                start_new_session=True,
            )
            _reapers.add(self.pid)

    @classmethod
    def python(cls, *arguments: str, cwd: Path | None = None) -> Self:
        """Start this Python interpreter with `arguments`."""
        return cls([sys.executable, *arguments], cwd=cwd)

    @property
    def pid(self) -> int:
        """The reaper's process id. Killing it kills the program, but maybe not its descendants."""
        return self._reaper.pid

    def read_line(self) -> str:
        """Return the next line of output without its newline, "" at the end of the output."""
        assert self._reaper.stdout  # noqa: S101 (for the type checker)
        return self._reaper.stdout.readline().decode(errors="replace").rstrip("\n")

    def lines(self) -> Iterator[str]:
        """Yield the lines of output until the program has ended."""
        assert self._reaper.stdout  # noqa: S101 (for the type checker)
        for line in self._reaper.stdout:
            yield line.decode(errors="replace").rstrip("\n")

    def running(self) -> bool:
        return self._reaper.poll() is None

    def terminate(self) -> None:
        """Ask the program to stop (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status: 128 + N after signal N, -N if the reaper itself was killed.

        Raises `subprocess.TimeoutExpired` after `timeout` seconds.
        """
        return self._reaper.wait(timeout)

    def kill_nowait(self) -> None:
        """Kill the program and all its descendants, without waiting."""
        self._signal(signal.SIGQUIT)

    def kill(self) -> int:
        """Kill the program and all its descendants, wait, and return the exit status.

        While another thread reads the output, call `kill_nowait` instead: it ends that thread.
        """
        self.kill_nowait()
        status = self._reaper.wait()
        _reapers.discard(self.pid)
        for stream in (self._reaper.stdin, self._reaper.stdout):
            if stream:
                stream.close()
        return status

    def stop(self, timeout: float) -> int:
        """Terminate the program, kill it after `timeout` seconds, and return the exit status."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout)
        return self.kill()

    def _signal(self, number: int) -> None:
        if self.running():
            with contextlib.suppress(ProcessLookupError):
                self._reaper.send_signal(number)


def kill_orphans() -> None:
    """Kill descendants whose reaper was killed and that this process adopted.

    Only for a process that called `adopt_orphans` and has no children but `ManagedProcess`.
    """
    if not LINUX:
        return
    with _starting:
        ours = [pid for pid, parent in processes() if parent == os.getpid()]
        for stray in set(ours) - _reapers:
            for pid in (stray, *descendants(stray)):
                kill(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(stray, 0)
