"""Signals that reach the demo's supervisor at an awkward moment."""

import subprocess
import sys
from pathlib import Path

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


def exit_status(folder: Path, what: str) -> int:
    argv = [sys.executable, "-c", SUPERVISOR + what, str(folder)]
    return subprocess.run(argv, cwd=ROOT, timeout=30, check=False).returncode


def test_signals_stop_the_demo_though_the_main_thread_holds_its_locks(tmp_path: Path):
    assert exit_status(tmp_path, INTERRUPTED_WITH_LOCKS) == 0


def test_a_stop_just_before_the_database_is_prepared_ends_the_preparation(tmp_path: Path):
    assert exit_status(tmp_path, STOPPED_BEFORE_PREPARING) == 0
