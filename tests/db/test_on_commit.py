"""Functions registered in a transaction run after its commit, or not at all."""

import json
import logging
from contextlib import suppress
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from myukm.db.deadlock_retry import retry_on_deadlock
from myukm.db.session import is_in_transaction, on_commit, transaction
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.pubsub import CHANNEL
from myukm.models import Siswa
from tests.conftest import every_database


class Calls(list[str]):
    """The noted calls, each with the number of students that were committed at that time."""

    def note(self, word: str) -> None:
        assert not is_in_transaction()
        self.append(f"{word} {count_in_another_session()}")


def count_in_another_session() -> int:
    with db.engine.connect() as connection:
        return len(connection.execute(select(Siswa.id)).all())


def add(number: int) -> None:
    db.session.add(Siswa(idperson=str(number), nama="A"))


@every_database
def test_functions_run_in_order_after_the_outermost_commit(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        with transaction():
            add(1)
            on_commit(calls.note, "first")
            with transaction():
                add(2)
                on_commit(calls.note, "second")
            on_commit(calls.note, "third")
            assert calls == []
        assert calls == ["first 2", "second 2", "third 2"]


def test_outside_of_a_transaction_a_function_runs_at_once(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        on_commit(calls.note, "now")
        assert calls == ["now 0"]


def test_the_same_call_runs_once_a_transaction(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        for _ in range(2):
            with transaction():
                for word in ("a", "b", "a"):
                    on_commit(calls.note, word)
    assert calls == ["a 0", "b 0"] * 2


@every_database
def test_a_rollback_drops_the_functions(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            write_then_fail(calls)
        with transaction() as session:
            on_commit(calls.note, "rolled back")
            session.rollback()
            on_commit(calls.note, "registered later")
        with transaction():
            add(1)
    assert calls == ["registered later 0"]


def write_then_fail(calls: Calls) -> None:
    with transaction():
        add(1)
        on_commit(calls.note, "failed")
        raise ZeroDivisionError


@every_database
def test_a_commit_that_fails_drops_the_functions(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        with pytest.raises(IntegrityError):
            write_twice(calls)
        with transaction():
            on_commit(calls.note, "next")
    assert calls == ["next 0"]


def write_twice(calls: Calls) -> None:
    with transaction():
        on_commit(calls.note, "failed")
        add(1)
        add(1)


def test_an_inner_error_that_is_caught_drops_nothing(app: Flask) -> None:
    """The inner block joined the outer one: its rows are committed, so its functions run."""
    calls = Calls()
    with app.app_context(), transaction(), suppress(ZeroDivisionError):
        write_then_fail(calls)
    assert calls == ["failed 1"]


def test_a_function_that_fails_is_logged_and_the_next_ones_run(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Calls()
    with app.app_context():
        with transaction():
            add(1)
            on_commit(fail)
            on_commit(fail_in_the_database)
            on_commit(calls.note, "after")
        with transaction():
            add(2)
        assert count_in_another_session() == 2
    assert calls == ["after 1"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == [
        f"tests.db.test_on_commit.{name} failed after a commit"
        for name in ("fail", "fail_in_the_database")
    ]
    assert all(record.exc_info for record in errors)


def fail() -> None:
    raise ZeroDivisionError


def fail_in_the_database() -> None:
    db.session.execute(text("SELECT nothing"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_after_the_commit_stops_nothing(app: Flask) -> None:
    calls = Calls()
    with app.app_context():
        with transaction():
            add(1)
            on_commit(break_connection)
            on_commit(calls.note, "after")
        with transaction():
            add(2)
    assert calls == ["after 1"]


def break_connection() -> None:
    db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_function_may_open_a_transaction_of_its_own(app: Flask) -> None:
    calls = Calls()

    def write() -> None:
        with transaction():
            add(2)
            on_commit(calls.note, "its own")

    with app.app_context(), transaction():
        add(1)
        on_commit(write)
        on_commit(calls.note, "last")
    assert calls == ["its own 2", "last 2"]


class Deadlock(Exception):
    """The error of PostgreSQL's driver."""

    sqlstate = "40P01"


def test_a_deadlock_victim_that_is_retried_runs_its_function_once(app: Flask) -> None:
    calls, victims = Calls(), [1, 2]

    def work() -> None:
        with transaction():
            add(1)
            on_commit(calls.note, "committed")
            if victims:
                victims.pop()
                raise OperationalError("", {}, Deadlock())

    with app.app_context():
        retry_on_deadlock(work)
    assert calls == ["committed 1"]


def test_a_deadlock_after_the_commit_does_not_repeat_the_commit(app: Flask) -> None:
    tries = []

    def work() -> None:
        with transaction():
            tries.append(1)
            on_commit(fall_victim)

    with app.app_context():
        retry_on_deadlock(work)
    assert tries == [1]


def fall_victim() -> None:
    raise OperationalError("", {}, Deadlock())


def test_events_are_published_though_an_earlier_effect_appends_more(
    app: Flask, valkey: redis.Redis
) -> None:
    with app.app_context(), valkey.pubsub() as pubsub:
        pubsub.subscribe(CHANNEL)
        pubsub.get_message(timeout=5)
        with transaction():
            on_commit(append_log_line, "of the effect")
            append_log_line("of the transaction")
        received: list[Any] = []
        while message := pubsub.get_message(timeout=0.5):
            received += json.loads(message["data"])
    assert [json.loads(data)["message"] for _seq, _topic, _type, data in received] == [
        "of the transaction",
        "of the effect",
    ]
    assert [seq for seq, *_ in received] == [1, 2]


def append_log_line(text: str) -> None:
    with transaction():
        event_log.append("sync", "sync.log", {"message": text})
