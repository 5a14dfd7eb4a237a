"""Parts of the demo: restarting a program, its log, the lock of a folder, the banner."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import config
from demo.banner import welcome
from demo.environment import Addresses
from demo.lock import AlreadyRunningError, demo_lock, publish_env
from demo.logs import BoundedLog
from demo.process_runner import RestartingProcess
from myukm.settings import sources
from tests.devtools.test_process_tree import wait_gone
from tests.support.waiting import wait_until

START = Callable[..., RestartingProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[START]:
    """Run Python code and restart it whenever it exits; all is killed after the test."""
    runners = []

    def starter(code: str) -> RestartingProcess:
        argv = [sys.executable, "-c", code]
        runner = RestartingProcess(
            "part", argv, tmp_path / "part.log", cwd=tmp_path, env=os.environ
        )
        runner.start()
        runners.append(runner)
        return runner

    yield starter
    for runner in runners:
        runner.kill()
        runner.join()


def logged(tmp_path: Path) -> list[str]:
    path = tmp_path / "part.log"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("status", [0, 1, 255])
def test_a_program_is_restarted_whatever_its_exit_status(start: START, tmp_path, capsys, status):
    start(f"import sys; print('here'); sys.exit({status})")
    wait_until(lambda: len(logged(tmp_path)) >= 3)
    assert f"part berhenti (status {status}), dimulai lagi." in capsys.readouterr().out


def test_a_program_is_restarted_although_its_log_is_on_a_full_disk(start: START, tmp_path: Path):
    log = tmp_path / "part.log"
    log.symlink_to("/dev/full")
    runner = start("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    pid = int(wait_until(lambda: list(runner._log.tail))[0])
    log.unlink()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(logged(tmp_path)) == 1)


def test_a_killed_program_is_restarted(start: START, tmp_path: Path):
    start("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    pid = int(wait_until(lambda: logged(tmp_path))[0])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(logged(tmp_path)) == 2)


def test_a_program_that_keeps_exiting_is_reported_with_its_last_line(
    start: START, tmp_path, capsys
):
    start("import sys; sys.exit('cannot open the thing')")
    out = ""

    def is_reported() -> bool:
        nonlocal out
        out += capsys.readouterr().out
        return "part terus berhenti" in out

    wait_until(is_reported)
    assert "cannot open the thing" in out.split("part terus berhenti")[1].splitlines()[0]


def test_the_terminal_shows_only_the_first_of_many_errors(start: START, tmp_path: Path, capsys):
    start(
        "import time\n"
        "for n in range(500): print('ERROR', n)\n"
        "print('end', flush=True); time.sleep(600)"
    )
    wait_until(lambda: "end" in logged(tmp_path))
    assert capsys.readouterr().out == "part: ERROR 0\n"
    assert len(logged(tmp_path)) == 501


def test_stop_lets_the_program_end_itself_and_does_not_restart_it(start: START, tmp_path: Path):
    runner = start(
        "import signal, sys, os\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye')))\n"
        "print(os.getpid(), flush=True); signal.pause()"
    )
    pid = int(wait_until(lambda: logged(tmp_path))[0])
    runner.stop()
    runner.join(10)
    assert not runner.is_alive()
    wait_gone(pid)
    assert logged(tmp_path)[1:] == ["bye"]


def test_a_log_has_a_bounded_size(tmp_path: Path):
    log = BoundedLog(tmp_path / "a.log", limit=1000)
    for number in range(200):
        log.write(f"line {number:03}")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2100
    assert (tmp_path / "a.log").read_text().endswith("line 199\n")
    assert log.tail[-1] == "line 199"


def test_a_second_demo_in_a_folder_is_refused_with_the_address_of_the_first(tmp_path: Path):
    with demo_lock(tmp_path) as note:
        print("http://127.0.0.1:5000", file=note, flush=True)
        with pytest.raises(AlreadyRunningError, match=r"PID \d+, http://127.0.0.1:5000"):
            demo_lock(tmp_path).__enter__()
    with demo_lock(tmp_path):
        pass


def test_a_demo_starts_while_a_command_tests_its_lock(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(
        "demo.lock.ATTEMPTS", 1000
    )  # on a busy machine the other process may hold it longer
    testing = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_SH)\n"
            "print(flush=True); time.sleep(0.1)",
            str(tmp_path / "demo.lock"),
        ],
        stdout=subprocess.PIPE,
    )
    with testing:
        testing.stdout.readline()
        with demo_lock(tmp_path):
            pass


def test_other_commands_use_the_demos_settings_only_while_it_runs(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "INSTANCE", tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    ours = "redis://127.0.0.1:7777/0"
    with demo_lock(tmp_path):
        with publish_env(tmp_path, {"REDIS_URL": ours}):
            assert config.load()["REDIS_URL"] == ours
        assert not (tmp_path / "demo.env").exists()
    (tmp_path / "demo.env").write_text(f"REDIS_URL={ours}\n")
    assert config.load()["REDIS_URL"] != ours


def test_the_settings_of_an_env_file_that_override_the_demo_are_named(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("REDIS_URL=redis://a:6379/0\n", encoding="utf-8-sig")
    welcome(Addresses(5000, 6379, 5055))
    assert ".env menetapkan REDIS_URL;" in capsys.readouterr().out
