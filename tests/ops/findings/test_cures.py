"""The command of a cure is typed as it is printed, and the finding goes."""

import re
import shlex
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import redis
import requests
from flask import Flask
from rq import Queue
from rq.suspension import suspend
from sqlalchemy import update

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.sync import commands as sync_commands
from myukm.domain.sync import standstill_reason
from myukm.models import User
from myukm.queues.enqueue import enqueue
from tests.live.test_retention import fill
from tests.ops.test_doctor import examine, named, queue_old_jobs, wait_finding
from tests.queues.test_failures import fail
from tests.support import sync
from tests.support.people import UKM
from tests.support.programs import Program, WebServer
from tests.support.receiver import receiving
from tests.support.sse import StreamReader
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, kill, pid_of, snapshot_now, wait_serving

Start = Callable[..., Program]
PING = "myukm.jobs.upkeep.ping"


def commands(cure: str) -> list[list[str]]:
    """Return the commands that a cure names, without `./run`."""
    return [shlex.split(found) for found in re.findall(r"\./run ([\w -]+\w)", cure)]


def type_command(app: Flask, start: Start, command: list[str]) -> None:
    """Run a command of a cure, given without `./run`, and assert that it succeeds."""
    if command[0] == "worker":
        start(*WORKER)
    elif command[0] == "rq":
        start(*command)
    else:
        done = app.test_cli_runner().invoke(args=command, input="y\n")
        assert done.exit_code == 0, done.output


def cured(app: Flask, start: Start, code: str, choice: int = 0) -> None:
    """Run the command number `choice` of the finding's cure and wait until the finding is gone."""
    type_command(app, start, commands(wait_finding(app, code)["cure"])[choice])
    wait_until(lambda: not named(app, code), 60, f"{code} is cured")


def test_no_worker(app: Flask, start: Start, valkey: redis.Redis) -> None:
    queue_old_jobs(app, valkey, 2)
    cured(app, start, "no_worker")


def test_no_worker_for_one_queue_alone(app: Flask, start: Start, valkey: redis.Redis) -> None:
    start(*WORKER, "default", "sync-pembayaran")
    wait_serving(app, ["default", "sync-pembayaran"])
    cured(app, start, "no_worker", choice=1)


def test_all_workers_are_suspended(app: Flask, start: Start, valkey: redis.Redis) -> None:
    start(*WORKER)
    suspend(valkey)
    cured(app, start, "workers_suspended")


def test_jobs_failed_and_are_cleared(app: Flask, start: Start, valkey: redis.Redis) -> None:
    fail(valkey, "KeyError: 1", 3)
    assert [command[:2] for command in commands(wait_finding(app, "jobs_failed")["cure"])] == [
        ["queue", "failed"],
        ["queue", "retry"],
        ["queue", "clear"],
    ]
    cured(app, start, "jobs_failed", choice=2)


def test_a_failed_job_that_is_kept_for_a_year_is_named_for_an_hour(
    app: Flask, valkey: redis.Redis
) -> None:
    """RQ keeps failed jobs of others for a year. When they failed follows from when they expire."""
    year = utcnow().timestamp() + timedelta(days=365).total_seconds()
    for name in ("default", "sync-pembayaran"):
        key = Queue(name, connection=valkey).failed_job_registry.key
        valkey.zadd(key, {"old": year - timedelta(days=30).total_seconds()})
    assert not named(app, "jobs_failed")


def test_a_scheduled_job_is_overdue(app: Flask, start: Start, valkey: redis.Redis) -> None:
    Queue("default", connection=valkey).enqueue_in(timedelta(seconds=-60), PING)
    cured(app, start, "scheduled_overdue")


def test_an_event_log_that_nobody_prunes(app: Flask, start: Start) -> None:
    """Its oldest event is 33 hours old."""
    fill(app, 4000)
    assert "disk" in wait_finding(app, "event_log_large")["cure"], "for a log that is pruned slowly"
    cured(app, start, "event_log_large", choice=1)


def test_a_worker_that_takes_nothing(app: Flask, start: Start, valkey: redis.Redis) -> None:
    start(*WORKER)
    wait_until(lambda: states(app, "high") == ["idle"], 30, "a worker that waits for jobs")
    kill(pid_of(app, "high"), signal.SIGSTOP)
    queue_old_jobs(app, valkey, 3)
    cured(app, start, "worker_stuck")


def states(app: Flask, queue: str) -> list[str]:
    return [worker.state for worker in snapshot_now(app).workers_for(queue)]


def test_a_run_that_does_not_move(
    app: Flask, simulator: Simulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only worker of its queue takes nothing."""
    monkeypatch.setattr(standstill_reason, "UNEXPLAINED", timedelta(seconds=2))
    start(*WORKER, PEMBAYARAN_API_URL=simulator.url)
    kill(pid_of(app, "sync-pembayaran"), signal.SIGSTOP)
    with app.app_context():
        sync.create_students(60)
        sync_commands.start(TREASURER)
    cured(app, start, "sync_still")
    assert sync.wait_for_end(app)["status"] == "completed"


def test_nobody_makes_backups(
    app: Flask,
    people: dict[str, int],
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For three days. FOLDER in the cure is relative to the current folder."""
    app.config["MYUKM_ENV"] = "production"
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(created_at=utcnow() - timedelta(days=3)))
    monkeypatch.chdir(tmp_path)
    cured(app, start, "backup_old")
    assert list((tmp_path / "FOLDER").glob("*.zip"))


def test_chat_jobs_on_a_queue_that_no_worker_serves(
    app: Flask,
    settings: dict[str, str],
    start: Start,
    session_as: Callable[[str], requests.Session],
    web: WebServer,
) -> None:
    """Chat jobs go to `high`, and the only worker listens to `default`."""
    start("rq", "worker", "default")
    wait_serving(app, ["default"])
    reader = StreamReader(web.url, session_as("friend"))
    member = session_as("member")
    for number in range(5):
        sent = {"message": f"pesan {number}", "client_id": str(number)}
        assert member.post(f"{web.url}/ukm/{UKM}/messages", json=sent).status_code == 201
    said = [each["message"] for each in reader.wait_for(5, "chat.message")]
    assert said == [f"pesan {number}" for number in range(5)], "chat goes on"
    wait_until(lambda: examine(app)["findings"][0]["level"] == "broken", 30, "it is named")
    first = app.test_cli_runner().invoke(args=("queue", "doctor")).stdout.splitlines()[0]
    assert first.startswith("RUSAK: ")
    assert "menunggu di antrian high" in first
    assert "Worker yang hidup hanya mendengarkan: default." in first


def test_an_alert_is_sent_for_a_queue_without_a_worker(app: Flask, start: Start) -> None:
    with receiving() as receiver:
        start("rq", "worker", "default")
        start(*WORKER, "sync-pembayaran", ALERT_WEBHOOK_URL=receiver.url)
        wait_serving(app, ["default", "sync-pembayaran"])
        with app.app_context():
            enqueue("myukm.jobs.chat.broadcast_chat_message", 1)
        wait_until(lambda: receiver.kinds("no_worker"), 30, "the alert is received")
