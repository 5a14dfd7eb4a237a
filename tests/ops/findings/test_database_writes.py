"""The doctor checks the database by a write, and names what is wrong with it."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

import config
from myukm import create_app
from myukm.db.engine import POOL_SIZE
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db, valkey
from myukm.models import LeaderLease
from myukm.ops import examiner, periodic
from myukm.ops.findings import database, database_writes
from tests.conftest import every_database
from tests.ops.findings.test_cures import commands, type_command
from tests.ops.test_doctor import examine, named, wait_finding
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until
from tests.support.workers import wait_serving

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def file_of(app: Flask) -> Path:
    with app.app_context():
        return Path(str(db.engine.url.database))


@on_postgresql
def test_a_database_that_is_only_read(app: Flask, settings: dict[str, str]) -> None:
    """This happens after a failover, when the address still leads to a standby."""
    name = settings["DATABASE_URL"].rpartition("/")[2]
    with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    forget_connections(app)
    found = wait_finding(app, "database_readonly")
    assert (found["level"], "read-only transaction" in found["message"]) == ("broken", True)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["reason_code"]) == (503, "database_readonly")
    with app.app_context():
        of_another_process = database_writes.KEY.format("full")
        valkey().set(of_another_process, "the disk was full", ex=5)
        database_writes.share()
        assert valkey().ttl(of_another_process) <= 5
        valkey().delete(of_another_process)
    other = create_app(config.load(settings))
    with other.app_context():
        assert database_writes._shared().keys() == {"readonly"}


def forget_connections(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


@on_postgresql
def test_a_server_whose_connections_are_used_up(settings: dict[str, str]) -> None:
    url = settings["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS few")
        owner.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    as_few = url.replace("postgres@", "few@")
    app = create_app(config.load({**settings, "DATABASE_URL": as_few}))
    with psycopg.connect(as_few):
        assert wait_finding(app, "database_too_many_connections")["level"] == "broken"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE few")


@every_database
def test_a_process_whose_connections_are_all_in_use(
    app: Flask, settings: dict[str, str], valkey: redis.Redis
) -> None:
    with ExitStack() as taken:
        with app.app_context():
            for _ in range(POOL_SIZE):
                taken.enter_context(db.engine.connect())
        found = wait_finding(app, "database_pool_exhausted")
        assert (found["level"], found["pid"]) == ("broken", os.getpid())
        assert not named(app, "database_unreachable")
        assert not named(create_app(config.load(settings)), "database_pool_exhausted")
    wait_until(lambda: not named(app, "database_pool_exhausted"), 30, "one is free again")


@every_database
def test_the_wait_for_a_connection_is_not_slowness_of_the_database(app: Flask) -> None:
    with app.app_context(), ExitStack() as taken:
        first, *_others = [taken.enter_context(db.engine.connect()) for _ in range(POOL_SIZE)]
        free = threading.Timer(2 * database.SLOW_SECONDS, first.close)
        free.start()
        assert list(database.unreachable()) == []
        free.join()


def test_a_lock_that_somebody_keeps(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiner, "CHECK_SECONDS", 0.5)
    with closing(sqlite3.connect(file_of(app), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert wait_finding(app, "database_locked")["level"] == "broken"
    wait_until(lambda: "database_locked" not in str(examine(app)), 30, "it goes with the lock")


def test_a_file_that_was_moved_away(app: Flask) -> None:
    examine(app)
    path = file_of(app)
    path.rename(path.with_suffix(".away"))
    assert "-wal" in wait_finding(app, "database_replaced")["cure"]
    path.with_suffix(".away").rename(path)
    assert "database_replaced" not in str(examine(app))


def test_a_file_that_is_no_database(app: Flask) -> None:
    path = file_of(app)
    with app.app_context():
        db.engine.dispose()
    for each in path.parent.glob("myukm.db-*"):
        each.unlink()
    path.write_bytes(b"something else" * 1000)
    assert "not a database" in wait_finding(app, "database_corrupt")["message"]


@pytest.mark.parametrize("damage", [b"something else" * 1000, b""])
def test_a_file_that_is_damaged_while_it_is_open(app: Flask, damage: bytes) -> None:
    assert not named(app, "database_corrupt")
    with app.app_context(), closing(db.engine.raw_connection()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file_of(app).write_bytes(damage)
        assert wait_finding(app, "database_corrupt")["level"] == "broken"


def test_a_file_that_cannot_grow(app: Flask) -> None:
    with app.app_context():
        driver = db.session.connection().connection.driver_connection
        driver.execute("PRAGMA max_page_count = 1")
        fill = text("CREATE TABLE more AS SELECT randomblob(100000) AS bytes")
        with pytest.raises(OperationalError, match="full"):
            db.session.execute(fill)
    assert wait_finding(app, "database_full")["message"].startswith("Disk basis data penuh: ")


def test_nobody_leads(app: Flask) -> None:
    set_last_led(app, utcnow() - timedelta(seconds=5))
    assert "nobody_leads" not in str(examine(app))
    set_last_led(app, utcnow() - timedelta(seconds=40))
    assert wait_finding(app, "nobody_leads")["since"][-1] == "Z"
    runner = periodic.PeriodicRunner(app, [], [])
    runner._lapsed._seconds = 0.0
    with app.app_context():
        assert runner._is_leader()
    assert "nobody_leads" not in str(examine(app))


def test_the_only_process_that_leads_is_killed(
    app: Flask,
    web: WebServer,
    start: Callable[..., Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Types the second command of the cure, which starts a worker: it can lead as well."""
    monkeypatch.setattr(database_writes, "MAX_STRETCH", 1.0)
    with app.app_context():
        led_at = select(LeaderLease.led_at)
        wait_until(lambda: (db.session.rollback(), db.session.scalar(led_at))[1], 30, "it leads")
    assert not named(app, "nobody_leads")
    web.kill()
    _web, worker = commands(wait_finding(app, "nobody_leads")["cure"])
    type_command(app, start, worker)
    wait_until(lambda: not named(app, "nobody_leads"), 30, "somebody leads")


def test_a_crowded_machine_is_given_more_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    set_last_led(app, utcnow() - timedelta(seconds=20))
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.1, 0.1))
    assert "nobody_leads" in str(examine(app))
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0 * (os.cpu_count() or 1), 5.0, 2.0))
    assert "nobody_leads" not in str(examine(app))


def set_last_led(app: Flask, moment: object) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(LeaderLease).values(led_at=moment))


def test_nobody_leads_if_only_plain_rq_workers_run(
    app: Flask, start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_writes, "MAX_LEADERLESS", timedelta(seconds=0.1))
    assert "nobody_leads" not in str(examine(app)), "nothing has been started yet"
    start("rq", "worker", "high", "default", "sync-pembayaran")
    wait_serving(app)
    wait_until(lambda: "nobody_leads" in str(examine(app)), 30, "the finding")


@pytest.fixture
def member(app: Flask, client_as: Callable[[str], FlaskClient]) -> Iterator[FlaskClient]:
    """The client of a logged-in person; the database is gone."""
    client = client_as("member")
    path = file_of(app)
    forget_connections(app)
    for each in path.parent.glob("myukm.db*"):
        each.unlink()
    path.mkdir()
    yield client
    path.rmdir()


@pytest.mark.parametrize("path", ["/ukm", "/login", "/nothing-here", "/profile"])
def test_without_a_database_logged_in_people_get_our_pages(member: FlaskClient, path: str) -> None:
    answer = member.get(path)
    assert answer.status_code in {503, 404}
    assert "MyUKM</title>" in answer.text
    assert "Internal Server Error" not in answer.text
