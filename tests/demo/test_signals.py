"""Signals and errors that reach the demo at an awkward moment."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.test_supervisor import Demo, checkout, ending

ROOT = Path(__file__).resolve().parents[2]
SUPERVISOR = """
import os, signal, sys
from pathlib import Path
from demo import supervisor
from demo.environment import Addresses
from devtools.process_tree import ManagedProcess

folder = supervisor.LOGS = Path(sys.argv[1])
lock = open(folder / "valkey.lock", "wb")
demo = supervisor.Supervisor(Addresses(1, 2, 3), folder, lock)
"""
INTERRUPTED_WITH_LOCKS = """
def run(announce):
    with demo._stop._cond, demo._valkey._lock:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    demo._stop.wait()
    return 0

demo._run = run
sys.exit(demo.run(print))
"""
STOPPED_BEFORE_PREPARING = """
sleep = lambda *_, **__: ManagedProcess.python("-c", "import time; time.sleep(40)")
supervisor.ManagedProcess = sleep
demo._stop.set()
sys.exit(0 if demo._prepared() else 1)
"""
INTERRUPTED_AT = """
import os, runpy, signal, sys

def interrupt(event, args):
    if f"{event} {args[0]}".startswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
runpy.run_module("demo", run_name="__main__")
"""


def exit_status(folder: Path, what: str) -> int:
    argv = [sys.executable, "-c", SUPERVISOR + what, str(folder)]
    return subprocess.run(argv, cwd=ROOT, timeout=30, check=False).returncode


def test_signals_stop_the_demo_though_the_main_thread_holds_its_locks(tmp_path: Path):
    assert exit_status(tmp_path, INTERRUPTED_WITH_LOCKS) == 0


def test_a_stop_just_before_the_database_is_prepared_ends_the_preparation(tmp_path: Path):
    assert exit_status(tmp_path, STOPPED_BEFORE_PREPARING) == 0


@pytest.mark.parametrize("event", ["import demo.lock", "fcntl.flock"])
def test_an_interrupt_in_the_first_second_ends_the_demo_without_a_traceback(
    tmp_path: Path, event: str
):
    """While modules are imported, and while the demo takes its lock."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT, event],
        cwd=checkout(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_an_error_while_it_runs_is_not_called_one_of_its_start(tmp_path: Path):
    folder = checkout(tmp_path)
    (folder / "instance/log/prepare.log").mkdir()
    with ending(Demo(folder)) as demo:
        assert demo.process.wait(120) == 1
    assert "prepare.log" in demo.output
    assert "Demo gagal: " in demo.output
    assert "Traceback" not in demo.output
