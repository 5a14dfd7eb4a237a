"""Real faults of processes, disks and runs: the finding comes, and goes with the cure."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis
from flask import Flask

import config
from devtools.simulator.client import Simulator
from myukm import create_app
from myukm.db.types import utcnow
from myukm.domain.sync import commands as sync_commands
from myukm.domain.sync import schedule
from myukm.ops import process_registry
from myukm.queues.enqueue import enqueue
from tests.ops.findings.test_cures import commands, cured, type_command
from tests.ops.findings.test_server_faults import wait_named, wait_over
from tests.ops.test_doctor import named, queue_old_jobs
from tests.queues.test_failures import fail
from tests.support import sync
from tests.support.databases import migrate
from tests.support.programs import ROOT, Program, WebServer
from tests.support.servers import ROOT_USER
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, kill, snapshot_now, wait_serving

Start = Callable[..., Program]
# What a worker needs; a copy leaves out tests and docs.
CODE = ("myukm", "config.py", "rq_settings.py", "worker.py", "gunicorn.conf.py")


def test_a_worker_that_hangs_in_a_job_and_one_that_helps(
    app: Flask, start: Start, valkey: redis.Redis
) -> None:
    start("rq", "worker", "high")
    wait_serving(app, ["high"])
    queue_old_jobs(app, valkey, 100)
    stop_when_busy(app)
    assert wait_named(app, "queue_slow")["level"] == "warning"
    cured(app, start, "queue_slow")


def stop_when_busy(app: Flask) -> None:
    """Stop the only worker while it has a job, so that it seems to work and takes no other."""
    while True:
        [worker] = snapshot_now(app).workers
        if worker.state == "busy" and worker.pid:
            kill(worker.pid, signal.SIGSTOP)
            if snapshot_now(app).workers[0].state == "busy":
                return
            kill(worker.pid, signal.SIGCONT)


def test_failed_jobs_are_retried(app: Flask, start: Start, valkey: redis.Redis) -> None:
    """The error no longer occurs, so the jobs succeed when the cure retries them."""
    fail(valkey, "KeyError: 1", 2)
    start(*WORKER)
    cured(app, start, "jobs_failed", choice=1)


def test_the_only_web_server_is_killed(
    app: Flask, web: WebServer, settings: dict[str, str], tmp_path: Path
) -> None:
    wait_until(lambda: app.extensions["valkey"].exists("myukm:web:seen"), 20, "it was seen")
    assert not named(app, "no_web")
    web.kill()
    found = wait_until(lambda: named(app, "no_web"), 30, "it is missed")[0]
    assert commands(found["cure"]) == [["web"]]
    again = WebServer(tmp_path / "again.log", settings)
    wait_over(app, "no_web")
    again.kill()


def test_a_web_process_that_is_killed_again_and_again(
    app: Flask, web: WebServer, valkey: redis.Redis
) -> None:
    """gunicorn replaces it each time, so no other finding shows it."""
    key = f"{process_registry.STARTS_KEY}:{socket.gethostname()}:web"
    for started in range(1, 8):
        wait_until(lambda: valkey.llen(key) >= started, 30, "it has started")  # noqa: B023
        for process in psutil.Process(web.child.pid).children(recursive=True):
            if process.children() == [] and process.ppid() != web.child.pid:
                process.kill()
    assert "Proses web" in wait_named(app, "process_restarts")["message"]
    valkey.delete(key)  # as after an interval in which none starts
    wait_over(app, "process_restarts")


def test_a_worker_with_older_code(
    app: Flask, settings: dict[str, str], tmp_path: Path, start: Start
) -> None:
    """Its code is updated, and it is restarted by the cure."""
    copy = tmp_path / "older"
    copy.mkdir()
    for name in CODE:
        place = ROOT / name
        (shutil.copytree if place.is_dir() else shutil.copy)(place, copy / name)
    changed = copy / "myukm" / "errors.py"
    changed.write_text(f"{changed.read_text()}# older\n")
    worker = Program(tmp_path / "older.log", settings, *WORKER, cwd=copy, fork=False)
    try:
        wait_serving(app)
        report_version(app)
        found = wait_named(app, "other_version")
        shutil.copy(ROOT / "myukm" / "errors.py", changed)
        [restart] = commands(found["cure"])
        type_command(app, start, restart)
        wait_until(lambda: not named(app, "other_version"), 30, "it is over")
        wait_serving(app)
        report_version(app)
        assert not named(app, "other_version")
    finally:
        worker.kill()


def report_version(app: Flask) -> None:
    """Let the worker of `default` do a job, by which it reports its version, and wait for that."""
    with app.app_context():
        enqueue("myukm.jobs.presence.broadcast_online_status", 1)
    said = lambda: any(each.version for each in snapshot_now(app).workers)  # noqa: E731
    wait_until(said, 20, "a worker has said it")


def test_a_worker_with_another_secret_key(app: Flask, start: Start) -> None:
    worker = start(*WORKER, SECRET_KEY="another one, and long enough to be accepted")
    assert wait_until(lambda: named(app, "secret_key_differs"), 30)[0]["level"] == "broken"
    worker.kill()
    start(*WORKER)
    wait_until(lambda: not named(app, "secret_key_differs"), 30, "it is over")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if not ROOT_USER or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_small_disk_and_a_full_one(small_disk: Path, settings: dict[str, str]) -> None:
    """It has the SQLite database. First little space is free, then none, then enough."""
    url = f"sqlite:///{small_disk}/myukm.db"
    migrate(url)
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    assert wait_named(app, "disk_full")["level"] == "broken"
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    assert wait_named(app, "database_full")["level"] == "broken"
    filler.unlink()
    larger = ["mount", "-o", "remount,size=1g", str(small_disk)]
    subprocess.run(larger, check=True)
    wait_until(lambda: not named(app, "database_full"), 40, "it writes again")
    wait_over(app, "disk_full")


def fill(path: Path) -> None:
    """Write until nothing is free."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url}


def test_the_program_was_down_when_a_scheduled_run_was_due(
    settings: dict[str, str], app: Flask, simulator: Simulator, start: Start
) -> None:
    """It last ran two days ago, and is started eight hours after the scheduled time."""
    with app.app_context():
        due = schedule.campus_time(utcnow() - timedelta(hours=8))
        daily = f"{due.minute} {due.hour} * * *"
        app.config["SYNC_SCHEDULE"] = daily
        sync.create_students(3)
        assert schedule.handle(utcnow() - timedelta(days=2)) == schedule.NEW
    worker = {"SYNC_SCHEDULE": daily, "PEMBAYARAN_API_URL": simulator.url}
    start(*WORKER, **worker)
    wait_until(lambda: named(app, "schedule_missed"), 30, "the time is missed")
    cured(app, start, "schedule_missed")


def test_students_fail_and_succeed_when_they_are_tried_again(
    app: Flask, simulator: Simulator, start: Start
) -> None:
    simulator.set(fail={"404": 0.5})
    begin_run(app, start)
    sync.wait_for_end(app)
    assert wait_named(app, "many_students_failed")["level"] == "warning"
    simulator.set(fail={})
    cured(app, start, "many_students_failed")


def test_a_refused_token_pauses_a_run_until_it_is_resumed(
    app: Flask, simulator: Simulator, start: Start
) -> None:
    simulator.set(token="another")
    begin_run(app, start)
    sync.wait_for(app, "paused")
    assert wait_named(app, "sync_paused")["level"] == "broken"
    simulator.set(token=None)
    cured(app, start, "sync_paused")
    sync.wait_for(app, "completed")


def begin_run(app: Flask, start: Start) -> None:
    with app.app_context():
        sync.create_students(60)
        sync_commands.start(TREASURER)
    start(*WORKER)


@pytest.mark.parametrize(
    ("code", "fault", "over"),
    [
        ("api_down", {"outage": "503"}, {"outage": None}),
        ("api_wait", {"rate": 1, "retry_after": "12"}, {"rate": None}),
        ("api_slow", {"latency_ms": "14000"}, {"latency_ms": "0"}),
    ],
)
def test_a_run_waits_for_the_payment_api_and_goes_on_by_itself(
    app: Flask,
    simulator: Simulator,
    start: Start,
    code: str,
    fault: dict[str, object],
    over: dict[str, object],
) -> None:
    simulator.set(**fault)
    begin_run(app, start)
    found = wait_until(lambda: named(app, code), 30, f"{code} is named")[0]
    assert found["level"] == "broken"
    simulator.set(**over)
    assert sync.wait_for_end(app)["status"] == "completed"
    assert not named(app, code)
