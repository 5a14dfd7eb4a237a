"""A run that does not move, or in which many students fail, has a finding."""

import shlex
import signal
import socket
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api import shared_state
from myukm.domain.sync import commands, dispatching, standstill_reason
from myukm.models import SyncRun
from myukm.ops.findings import strangers
from myukm.queues.enqueue import enqueue
from myukm.queues.workers import DATABASE_FIELD
from tests.ops.test_doctor import codes, examine, wait_finding
from tests.support import sync
from tests.support.databases import migrate
from tests.support.programs import Program
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, answering_worker, kill, pid_of, snapshot_now, wait_serving


def test_a_run_that_stands_still_is_named_though_nobody_knows_why(
    app: Flask, start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker listens, but takes no job."""
    monkeypatch.setattr(standstill_reason, "UNEXPLAINED", timedelta(seconds=2))
    start("rq", "worker", "sync-pembayaran")
    wait_serving(app, ["sync-pembayaran"])
    kill(pid_of(app, "sync-pembayaran"), signal.SIGSTOP)
    with app.app_context():
        sync.create_students(3)
        dispatching.dispatch(commands.start(TREASURER)["run_id"])
    wait_until(lambda: "sync_still" in str(examine(app)), 30, "the finding")
    found = wait_finding(app, "sync_still")
    assert (found["level"], found["since"][-1]) == ("broken", "Z")
    assert found["message"].startswith("Sinkronisasi belum bergerak sejak ")
    assert "sebabnya tidak diketahui" in found["message"]
    now = sync.progress_of(app)
    assert (now["stalled"], now["reason_code"]) == (True, "sync_still")
    with app.app_context():
        commands.cancel(TREASURER)
    assert "sync_still" not in str(examine(app))


def test_a_worker_with_another_database_is_named(
    app: Flask,
    start: Callable[..., Program],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes the run's jobs and does not find the run."""
    monkeypatch.setattr(standstill_reason, "UNEXPLAINED", timedelta(seconds=2))
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)
    start("rq", "worker", "sync-pembayaran", DATABASE_URL=other)
    wait_serving(app, ["sync-pembayaran"])
    with app.app_context():
        sync.create_students(3)
        commands.start(TREASURER)
    wait_until(lambda: "wrong_database" in str(examine(app)), 30, "the finding")
    wait_until(lambda: sync.progress_of(app)["reason_code"] == "sync_still", 30, "it stands still")
    found = wait_finding(app, "wrong_database")
    assert (found["level"], socket.gethostname() in found["message"]) == ("broken", True)
    assert "sync_still" not in str(examine(app)), "a consequence is left out"
    assert "other_version" not in str(examine(app))
    subprocess.run(shlex.split(found["cure"].rpartition(": ")[2]), check=True)
    wait_until(lambda: "wrong_database" not in str(examine(app)), 30, "it goes with its cause")
    start("rq", "worker", "sync-pembayaran")
    answering_worker(app, "sync-pembayaran", 60)
    assert "wrong_database" not in str(examine(app)), "the restarted one works for us"


def test_a_worker_with_another_database_is_named_before_it_takes_a_job(
    app: Flask, start: Callable[..., Program], tmp_path: Any, valkey: redis.Redis
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)
    start(*WORKER, "high", DATABASE_URL=other)
    wait_until(lambda: "wrong_database" in str(examine(app)), 30, "the finding")
    assert wait_finding(app, "wrong_database")["cure"].endswith(": ./run queue restart")
    (row,) = valkey.smembers("rq:workers")
    valkey.flushall()
    wait_until(lambda: valkey.hexists(row, DATABASE_FIELD), 30, "it registers again")


def test_a_worker_with_other_code_is_named(
    app: Flask, start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        enqueue("myukm.jobs.presence.broadcast_online_status", 1)
    start("rq", "worker", "default")
    reported = lambda: any(worker.version for worker in snapshot_now(app).workers)  # noqa: E731
    wait_until(reported, 30, "the worker has said which code it runs")
    assert "other_version" not in str(examine(app))
    monkeypatch.setattr(strangers, "code_version", lambda: "another")
    assert wait_finding(app, "other_version")["level"] == "warning"


def test_a_known_cause_is_named(app: Flask, valkey: redis.Redis) -> None:
    with app.app_context():
        sync.create_students(3)
        dispatching.dispatch(commands.start(TREASURER)["run_id"])
    valkey.set(shared_state.DOWN, 1, px=60_000)
    set_run(app, last_progress_at=utcnow() - timedelta(minutes=1))
    assert wait_finding(app, "api_down")["message"].startswith(
        "Sinkronisasi tidak bergerak: API pemb"
    )


def test_a_run_that_a_person_paused_is_no_finding(app: Flask) -> None:
    """However long it is paused."""
    with app.app_context():
        sync.create_students(3)
        dispatching.dispatch(commands.start(TREASURER)["run_id"])
        commands.pause(TREASURER)
    set_run(app, last_progress_at=utcnow() - timedelta(hours=1))
    assert {code for code, _ in codes(examine(app))} == {"no_worker"}


def test_a_tenth_of_the_students_failed(app: Flask) -> None:
    with app.app_context():
        sync.create_students(30)
        dispatching.dispatch(commands.start(TREASURER)["run_id"])
    set_run(app, failed=3)
    assert "many_students_failed" not in str(examine(app))
    set_run(app, failed=4)
    found = wait_finding(app, "many_students_failed")
    assert (found["level"], found["message"][:21]) == ("warning", "4 dari 30 siswa gagal")
    assert "Sesudah proses ini berakhir" in found["cure"], "while it is live a retry is refused"
    with app.app_context():
        commands.cancel(TREASURER)
    assert "Ulangi yang gagal" in wait_finding(app, "many_students_failed")["cure"]


def set_run(app: Flask, **values: Any) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(SyncRun).values(**values))
