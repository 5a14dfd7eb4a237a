"""Forked programs behave like others: output, status, their end, and the end of their test."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.programs import ROOT, Program
from tests.support.waiting import wait_until

STARTER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from tests.support.programs import Program
    program = Program(Path(sys.argv[1]), {}, "python", "worker.py")
    print(program.child.pid, flush=True)
    time.sleep(600)
    """
)


def processes_of(reaper: int, count: int) -> list[psutil.Process]:
    """Return a reaper and its descendants, once there are at least `count` of them."""
    top = psutil.Process(reaper)
    wait_until(lambda: len(top.children(recursive=True)) >= count, 30, "its processes")
    return [top, *top.children(recursive=True)]


def has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_forked_program_has_the_commands_output_and_status(
    start: Callable[..., Program],
) -> None:
    program = start("flask", "--app", "wsgi", "nonsense", MYUKM_LANG="en")
    assert program.child.wait(20) == 2
    assert program.output().startswith("Usage: flask [OPTIONS] COMMAND")


def test_a_killed_program_leaves_no_process(start: Callable[..., Program]) -> None:
    program = start("python", "worker.py")
    processes = processes_of(program.child.pid, 3)
    program.kill()
    assert not program.child.running()
    wait_until(lambda: all(map(has_ended, processes)), 30, "its processes end")


def test_a_killed_test_process_leaves_no_program(
    settings: dict[str, str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "log")]
    short = tmp_path_factory.getbasetemp().parent  # a socket's address has 100 characters at most
    env = os.environ | settings | {"TMPDIR": str(short)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        processes = processes_of(int(starter.stdout.readline()), 3)
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: all(map(has_ended, processes)), 30, "its processes end")
