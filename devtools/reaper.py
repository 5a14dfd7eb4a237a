"""Runs one program and kills all its descendants when it ends or when the starting process dies.

`python reaper.py PROGRAM ARG…`. Standard input is a pipe from the starting process: when that dies,
by whatever signal, the pipe is closed and everything below is killed. SIGTERM, SIGINT and SIGHUP
are forwarded to the program (warm stop); SIGQUIT kills everything at once.

Started by path in isolated mode, so it may import the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing alone is a fifth of a reaper's memory
    from collections.abc import Callable, Iterator
    from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"
FORWARDED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SWEEP_SECONDS = 5.0


def main(argv: list[str], execute: Callable[[str, list[str]], NoReturn] = os.execvp) -> int:
    """Run `argv` to its end and return its exit status (128 + N when signal N ended it).

    `execute(program, argv)` makes the child process that program.
    """
    adopt_orphans()
    wakeups = _signals_as_bytes()
    program = _spawn(argv, execute)
    status = _watch(program, wakeups)
    _kill_descendants(program)
    return status


def adopt_orphans() -> None:
    """On Linux, make orphaned descendants children of this process, so that it can kill them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int) -> Iterator[int]:
    """Yield the process ids below `pid`."""
    children: dict[int, list[int]] = {}
    for child, parent in processes():
        children.setdefault(parent, []).append(child)
    waiting = children.get(pid, [])
    while waiting:
        found = waiting.pop()
        waiting += children.get(found, [])
        yield found


def processes() -> Iterator[tuple[int, int]]:
    """Yield (process id, parent's id) of all processes."""
    if not LINUX:
        import subprocess

        listed = subprocess.check_output(["ps", "-axo", "pid=,ppid="], text=True)
        yield from (tuple(map(int, line.split())) for line in listed.splitlines())  # type: ignore[misc]
        return
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                yield int(name), int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue


def kill(pid: int) -> None:
    """Send SIGKILL to a process (or, negative, a group) that may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _signals_as_bytes() -> int:
    """Return a descriptor from which each arriving signal is read as one byte."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (*FORWARDED_SIGNALS, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reading


def _spawn(argv: list[str], execute: Callable[[str, list[str]], NoReturn]) -> int:
    """Start the program in its own session; on Linux the kernel kills it if the reaper dies."""
    reaper = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if os.getppid() == reaper:
            execute(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _watch(program: int, wakeups: int) -> int:
    """Wait for the program's end, the parent's death or SIGQUIT, and return the exit status."""
    while True:
        ready, _, _ = select.select([0, wakeups], [], [])
        if 0 in ready and not os.read(0, 64):
            return 128 + signal.SIGKILL
        numbers = os.read(wakeups, 64) if wakeups in ready else b""
        if signal.SIGQUIT in numbers:
            return 128 + signal.SIGKILL
        if (status := _wait_children(program)) is not None:
            return status
        for number in FORWARDED_SIGNALS:
            if number in numbers:
                os.kill(program, number)


def _wait_children(program: int) -> int | None:
    """Reap all dead children; return the program's exit status if it is one of them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _kill_descendants(program: int) -> None:
    deadline = time.monotonic() + SWEEP_SECONDS
    kill(-program)
    while (left := list(descendants(os.getpid()))) and time.monotonic() < deadline:
        for pid in left:
            kill(pid)
        _wait_children(program)
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
