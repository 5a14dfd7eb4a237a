"""The doctor answers within seconds, whatever hangs, and reports what hangs."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import create_engine, text

import config
from myukm import create_app
from myukm.extensions import db
from myukm.ops import api_probe, examiner
from myukm.ops.examiner import Examiner
from myukm.ops.findings import Finding
from tests.ops.test_doctor import codes, examine, named, wait_finding
from tests.support.no_threads import no_thread
from tests.support.waiting import wait_until


def not_called(*_: object) -> Finding:
    raise AssertionError


@contextmanager
def locked_table(app: Flask, name: str) -> Iterator[None]:
    """Lock a table in another session, so that nobody else can read it."""
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_locked_table_is_named_and_holds_nobody_up(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiner, "CHECK_SECONDS", 0.5)
    with locked_table(app, "sync_run"):
        began = time.monotonic()
        assert wait_finding(app, "database_locked")["level"] == "broken"
        assert ("no_worker", "warning") in codes(examine(app)), "the other checks run as well"
        assert time.monotonic() - began < 25, "less than `only` would wait"
        threads = [each for each in threading.enumerate() if each.name == "doctor"]
        assert len(threads) == 1, "a second examination starts no second thread"
        metrics = app.test_client().get("/metrics").text
        assert 'myukm_finding{code="database_locked",level="broken"} 1.0' in metrics
    wait_until(lambda: "database_locked" not in str(examine(app)), 30, "it goes with the lock")


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that accepts connections and never answers, like a stopped process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_database_is_waited_for_once(settings: dict[str, str], silent_server: int) -> None:
    database = f"postgresql://u@127.0.0.1:{silent_server}/x"
    app = create_app(config.load({**settings, "DATABASE_URL": database}))
    began = time.monotonic()
    assert wait_finding(app, "database_unreachable")["level"] == "broken"
    assert time.monotonic() - began < 25, "less than `only` would wait"


def test_a_slow_check_keeps_what_it_found_before(app: Flask) -> None:
    """An examination that reaches its deadline goes on in its thread."""
    go_on = threading.Event()
    go_on.set()

    def first() -> Iterator[Any]:
        yield from ()

    def slow() -> Iterator[Any]:
        go_on.wait(5)
        yield "known"

    one = examiner.Examiner([first, slow], pytest.fail, pytest.fail)
    one.start(app)
    assert one.findings(time.monotonic() + 2)[slow] == ["known"]
    go_on.clear()
    one.start(app)
    assert one.findings(time.monotonic() + 0.05)[slow] == ["known"]
    go_on.set()


def test_a_broken_finding_of_the_machine_hides_no_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a failed first check of the database or of Valkey skips the others of that server."""
    app.config |= {"MYUKM_ENV": "production", "SECRET_KEY": "aaaa"}
    usage = shutil.disk_usage("/")._replace(total=10**12, free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert wait_finding(app, "weak_secret")["level"] == "broken"
    assert wait_finding(app, "disk_full")["level"] == "broken"


def test_an_examination_whose_thread_cannot_start_is_tried_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiner, "CHECK_SECONDS", 0.5)
    check = Examiner([lambda: iter(())], hangs=not_called, crashes=not_called)
    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError, match="thread"):
            check.start(app)
    check.start(app)
    assert list(check.findings(time.monotonic() + 20).values()) == [[]]
    assert check.is_complete


def test_a_check_that_crashes_is_a_finding(app: Flask, valkey: redis.Redis) -> None:
    """Something else wrote to the key of the payment API's probe."""
    valkey.set(api_probe.KEY, "no JSON")
    found = wait_finding(app, "check_crashes")
    assert (found["level"], found["subject"]) == ("warning", "application.payment_api")
    assert "DecodeError" in found["message"]
    valkey.delete(api_probe.KEY)
    wait_until(lambda: not named(app, "check_crashes"), 30, "it goes with the value")


def test_a_check_whose_statement_the_database_refuses_is_a_finding(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE chat_message RENAME published_at TO renamed"))
    assert "application.chat" in wait_finding(app, "check_crashes")["message"]
