"""The supervisor restarts processes that end, with growing pauses, and sleeps while it waits."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import ROOT
from tests.support.waiting import wait_until

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from myukm.worker.supervisor import Supervisor

log = Path(sys.argv[1])

def record_start():
    with log.open("a") as file:
        file.write(f"{os.getpid()} {time.monotonic()}\\n")
    return int(sys.argv[2])

def patient():
    time.sleep(60)
    return 0

def stops_late():
    signal.signal(signal.SIGTERM, lambda *_: time.sleep(2) or sys.exit(0))
    record_start()
    return patient()

def ends_late():
    time.sleep(2)
    return 0

began = time.process_time()
match sys.argv[3]:
    case "once":
        print(sorted(Supervisor({"a": record_start, "b": record_start}).run_once()))
    case "one ends late":
        Supervisor({"a": record_start, "b": ends_late}).run_once()
        print(time.process_time() - began)
    case "one stops late":
        Supervisor({"a": patient, "b": stops_late}).run()
        print(time.process_time() - began)
    case _:
        sys.exit(Supervisor({"a": record_start, "b": patient}).run())
"""


def run(log: Path, status: int, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(log), str(status), how]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("status", [0, 1])
def test_a_process_that_ends_is_restarted_with_growing_pauses(tmp_path: Path, status: int) -> None:
    log = tmp_path / "log"
    with run(log, status, "on") as supervisor:
        lines = lambda: log.read_text().splitlines() if log.exists() else []  # noqa: E731
        wait_until(lambda: len(lines()) >= 5, 30, "five starts")
        starts = [float(line.split()[1]) for line in lines()[:5]]
        for number, (earlier, later) in enumerate(itertools.pairwise(starts)):
            assert later - earlier >= 0.1 * 2**number, starts
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    assert len({line.split()[0] for line in log.read_text().splitlines()}) >= 5


def test_run_once_returns_the_exit_statuses(tmp_path: Path) -> None:
    with run(tmp_path / "log", 3, "once") as supervisor:
        out, _ = supervisor.communicate(timeout=15)
    assert out == "[3]\n"


@pytest.mark.parametrize("how", ["one ends late", "one stops late"])
def test_the_supervisor_sleeps_while_one_of_its_processes_is_late(tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    with run(log, 0, how) as supervisor:
        wait_until(log.exists, 15, "a process has begun")
        if how == "one stops late":
            supervisor.terminate()
        out, _ = supervisor.communicate(timeout=15)
    assert float(out) < 0.3, "seconds of CPU in two seconds of waiting"
