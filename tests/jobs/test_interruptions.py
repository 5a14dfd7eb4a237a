"""Jobs that are interrupted by a locked row or by their own time-out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis
from flask import Flask
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from sqlalchemy import text

from myukm.db.session import transaction
from myukm.domain.chat import broadcast, messages
from myukm.domain.sync import commands, dispatching, queueing
from myukm.extensions import db
from myukm.jobs.interruptions import end_quietly_when_away, no_time_out_inside_the_database
from myukm.models import SyncRun, User
from myukm.queues.enqueue import get_queue
from tests.conftest import every_database
from tests.support import sync
from tests.support.people import UKM
from tests.support.programs import Program
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
Start = Callable[..., Program]


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """A worker's sessions on PostgreSQL wait 300 ms for a locked row."""
    url = settings["DATABASE_URL"]
    limit = "?options=-c%20lock_timeout%3D300ms"
    return settings | ({"DATABASE_URL": url + limit} if url.startswith("postgresql") else {})


@contextmanager
def locked(app: Flask, table: str) -> Iterator[None]:
    """Let another session lock the table's rows."""
    with psycopg.connect(app.config["DATABASE_URL"]) as other:
        other.execute(f"SELECT 1 FROM {table} FOR UPDATE".encode())
        yield
        other.rollback()


def work_off(start: Start, queue: str) -> str:
    """Let plain RQ work until the queue is empty, and return its output."""
    worker = start("rq", "worker", "--burst", queue)
    wait_until(lambda: not worker.child.running(), 40, "the burst ends")
    return worker.output()


def failed(queue: str) -> int:
    return int(get_queue(queue).failed_job_registry.count)


@on_postgresql
def test_a_broadcast_that_waits_too_long_for_a_lock_ends_without_failing(
    app: Flask, people: dict[str, int], start: Start, valkey: redis.Redis
) -> None:
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        message, _ = messages.post(member, UKM, "halo", "1")
        with locked(app, "event_counter"):
            assert "job ended early" in work_off(start, "high")
        assert failed("high") == 0
        assert broadcast.publish(message.ukm_id) == 1


@on_postgresql
def test_a_lane_that_waits_too_long_for_a_lock_ends_without_failing(
    app: Flask, start: Start
) -> None:
    with app.app_context():
        sync.create_students(3)
        run_id = commands.start(TREASURER)["run_id"]
        queueing.remove_queued(run_id)
        dispatching.dispatch(run_id)
        with locked(app, "sync_run"):
            assert "job ended early" in work_off(start, "sync-pembayaran")
        assert failed("sync-pembayaran") == 0
        db.session.rollback()
        assert db.session.get_one(SyncRun, run_id).crash_count == 0


@every_database
def test_a_run_whose_results_the_database_refuses_fails_with_the_reason(
    campus: Flask, start: Start
) -> None:
    """A column is missing, so each lane can claim students but can write no result."""
    with campus.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE tagihan RENAME COLUMN billed TO renamed"))
    with campus.app_context():
        commands.start(TREASURER)
    start("rq", "worker", "sync-pembayaran")
    ended = sync.wait_for_end(campus)
    assert (ended["status"], ended["reason_code"]) == ("failed", "jobs_fail")


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_job_timeout_does_not_interrupt_a_statement(app: Flask) -> None:
    sleep = (
        "SELECT pg_sleep(1.5)" if "postgresql" in app.config["DATABASE_URL"] else "DO sleep(1.5)"
    )
    with app.app_context(), transaction() as session:
        session.execute(text("SELECT 1"))  # connects now, outside the time-out
    begun = time.monotonic()
    with app.app_context():
        with pytest.raises(JobTimeoutException), UnixSignalDeathPenalty(1, JobTimeoutException):
            sleep_in_the_database(sleep)
        assert time.monotonic() - begun >= 1.5
        with transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1


def sleep_in_the_database(statement: str) -> None:
    with no_time_out_inside_the_database(), transaction() as session:
        session.execute(text(statement))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            time.sleep(0.01)


def test_a_wrong_statement_still_fails_the_job(app: Flask) -> None:
    with app.app_context(), pytest.raises(Exception, match="nothing"), end_quietly_when_away():
        db.session.execute(text("SELECT * FROM nothing"))
