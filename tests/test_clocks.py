"""Machines whose wall clocks differ: log-ins, times in tables, the leader, running jobs."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
import requests
from flask import Flask
from sqlalchemy import select

from devtools.ports import any_free
from devtools.reaper import descendants
from devtools.simulator.client import Simulator
from myukm.db import clock
from myukm.db.types import utcnow
from myukm.domain.sync import commands
from myukm.extensions import db
from myukm.models import ChatMessage, LeaderLease, LoginSession
from myukm.ops.findings import host
from myukm.ops.job_recovery import OrphanRecovery
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import SYNC
from tests.support.people import NAMES, PASSWORD, UKM
from tests.support.programs import BIN, Program, WebServer
from tests.support.sync import TREASURER, create_students, wait_for_end
from tests.support.waiting import wait_until
from tests.support.workers import snapshot_now

Start = Callable[..., Program]
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
WRONG_CLOCK = (sys.executable, "-m", "tests.faults.wrong_clock")


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """Give both web servers the same public URL, so that both read the same cookies."""
    return settings | {"PUBLIC_URL": "http://ukm.example.ac.id"}


@pytest.fixture
def web_ahead(start: Start, app: Flask) -> str:
    """The address of a web server whose clock is an hour ahead."""
    port = any_free()
    bind = {"MYUKM_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
    start(*WRONG_CLOCK, "3600@ahead", str(BIN / "gunicorn"), "wsgi:app", **bind)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(url), 30, "gunicorn answers")
    return url


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_each_new_connection_measures_the_database_clock(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock._clock, "offset", None)
    with app.app_context():
        db.session.execute(select(LeaderLease))
    assert clock._clock.offset is not None
    assert abs(clock.skew()) < 1
    assert abs(utcnow() - datetime.now(UTC)) < timedelta(seconds=1)


@on_postgresql
def test_log_ins_and_times_are_right_though_one_clock_is_an_hour_ahead(
    app: Flask, people: dict[str, int], web_ahead: str, web: WebServer
) -> None:
    session = requests.Session()
    body = {"nim": NAMES["member"][0], "password": PASSWORD}
    assert session.post(f"{web_ahead}/login", json=body, timeout=10).status_code == 200
    for url in (web.url, web_ahead):
        message = {"message": "Halo", "client_id": url}
        sent = session.post(f"{url}/ukm/{UKM}/messages", json=message, timeout=10)
        assert sent.status_code == 201, "the log-in counts everywhere"
    with app.app_context():
        login = db.session.scalars(select(LoginSession)).one()
        times = [login.created_at, *db.session.scalars(select(ChatMessage.created_at))]
        assert all(abs(utcnow() - at) < timedelta(seconds=60) for at in times)
        db.session.rollback()  # the server would end a transaction that idles for ten seconds
        skews = wait_until(lambda: list(host.clocks()), what="the doctor knows")
        [skew] = skews
        assert (skew.code, skew.level, "cepat 3" in skew.message) == ("clock_skew", "broken", True)
        wait_until(lambda: leader_pid() in descendants(web.child.pid), 60, "the right clock leads")
        db.session.rollback()


@on_postgresql
def test_running_jobs_survive_though_clocks_of_workers_differ(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, start: Start
) -> None:
    with Simulator(students=20, latency_ms="4000") as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        create_students(20)
        environment = {"PEMBAYARAN_API_URL": api.url}
        start(*WRONG_CLOCK, "-3600@behind", "worker.py", SYNC, **environment)
        wait_until(lambda: snapshot_now(app).workers_for(SYNC), 30, "a worker listens")
        commands.start(TREASURER)
        started = get_queue(SYNC).started_job_registry
        wait_until(
            lambda: any(":" in key for key in running(valkey, started.key)), 30, "a lane runs"
        )
        start(*WRONG_CLOCK, "3600@ahead", "worker.py", SYNC, **environment)  # cleans up at start
        wait_until(lambda: len(snapshot_now(app).workers_for(SYNC)) == 2, 30, "both are seen")
        OrphanRecovery().recover()
        assert wait_for_end(app)["success"] == 20
        assert get_queue(SYNC).failed_job_registry.count == 0
        assert all(worker.alive for worker in snapshot_now(app).workers)


def leader_pid() -> int:
    """Return the leader's process id; 0 if there never was one."""
    db.session.rollback()
    return int(db.session.scalars(select(LeaderLease.holder)).one().rpartition(":")[2] or 0)


def running(valkey: redis.Redis, key: str) -> list[str]:
    return [member.decode() for member in valkey.zrange(key, 0, -1)]
