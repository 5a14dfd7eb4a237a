"""The time-outs of database connections, on both sides."""

import gc
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

import config
from devtools.ports import any_free
from myukm import create_app
from myukm.db import breaker, clock, timeouts
from myukm.db.availability import DATABASE_UNAVAILABLE, is_unavailable
from myukm.db.engine import migration_engine
from myukm.db.session import transaction
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing_files import write_csv
from myukm.extensions import db
from myukm.models import Siswa
from tests.support.held_row import LOCK, held_row
from tests.support.people import UKM
from tests.support.postgresql import PostgreSQL
from tests.support.waiting import wait_until

servers = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
As = Callable[[str], FlaskClient]


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs of a second. Name it before `app`, whose connections get them when they open."""
    monkeypatch.setattr(timeouts, "LOCK_SECONDS", 1)
    monkeypatch.setattr(timeouts, "IDLE_SECONDS", 1)


def shown(connection: Connection, name: str) -> str:
    show = "SHOW {}" if connection.dialect.name == "postgresql" else "SELECT @@{}"
    return str(connection.execute(text(show.format(name))).scalar())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_session_of_postgresql_has_its_limits(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        names = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
        assert [shown(connection, name) for name in names] == ["10s", "5s", "30s"]
        assert [shown(connection, f"tcp_keepalives_{n}") for n in ("idle", "interval")] == [
            "5",
            "2",
        ]
        parameters = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
        assert (parameters["connect_timeout"], parameters["tcp_user_timeout"]) == ("3", "10000")
        assert [parameters[f"keepalives_{n}"] for n in ("idle", "interval", "count")] == [
            "5",
            "2",
            "3",
        ]


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_session_of_mariadb_has_its_limits(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        for name, seconds in timeouts.mariadb_settings().items():
            assert shown(connection, name) == str(seconds)
        driver: Any = connection.connection.dbapi_connection
        assert (driver._read_timeout, driver._write_timeout) == (30, 30)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_settings_in_the_address_take_precedence(settings: dict[str, str]) -> None:
    more = "?connect_timeout=7&options=-c%20lock_timeout%3D9s"
    app = create_app(config.load({**settings, "DATABASE_URL": settings["DATABASE_URL"] + more}))
    with app.app_context():
        with db.engine.connect() as connection:
            limits = [shown(connection, f"{name}_timeout") for name in ("lock", "statement")]
            parameters = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
        db.engine.dispose()
    assert (limits, parameters["connect_timeout"]) == (["9s", "30s"], "7")


@servers
def test_migrations_have_no_time_limit(app: Flask) -> None:
    engine = migration_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    name, value = ("statement_timeout", "0")
    if engine.dialect.name == "mysql":
        name, value = ("idle_transaction_timeout", "0")
    with engine.connect() as connection:
        assert shown(connection, name) == value
        driver: Any = connection.connection.dbapi_connection
        assert getattr(driver, "_read_timeout", None) is None
        assert getattr(driver, "_write_timeout", None) is None
    engine.dispose()


@servers
def test_a_connection_whose_set_up_fails_is_closed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler whose database is unavailable: each try would leave an open connection."""
    made: list[Any] = []

    def fail(connection: Any, _dialect: str) -> None:
        made.append(connection)
        raise db.engine.dialect.loaded_dbapi.OperationalError("gone")

    monkeypatch.setattr(clock, "measure", fail)
    with app.app_context():
        db.engine.dispose()
        check = app.extensions["database_liveness"]
        before = len(check._open)
        for _ in range(3):
            with pytest.raises(DATABASE_UNAVAILABLE):
                db.engine.connect()
        assert [getattr(each, "closed", None) or not each.open for each in made] == [True] * 3
        check._end_waiting_connections()
        made.clear()
        gc.collect()
        assert len(check._open) == before


@servers
def test_a_request_that_waits_too_long_for_a_row_answers_503(
    short_timeouts: None, app: Flask, client_as: As
) -> None:
    client = client_as("member")
    message = {"message": "halo", "client_id": "1"}
    post = lambda: client.post(f"/ukm/{UKM}/messages", json=message)  # noqa: E731
    with held_row(app):
        begun = time.monotonic()
        answer = post()
        assert time.monotonic() - begun < 4
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
    assert answer.json["error"]["code"] == "database_unavailable"
    wait_until(lambda: post().status_code == 201, 30, "a repeated request is served")


@servers
def test_a_session_that_falls_silent_inside_a_transaction_frees_its_rows(
    short_timeouts: None, app: Flask, people: dict[str, int]
) -> None:
    """As a host that lost power: its locks would be held until TCP gives up, hours later."""
    with app.app_context(), pytest.raises(DATABASE_UNAVAILABLE) as caught:
        fall_silent(app)
    assert is_unavailable(caught.value)
    with app.app_context(), transaction() as session:  # on a new connection
        assert session.scalar(LOCK)


@servers
def test_a_file_may_be_written_longer_than_a_transaction_may_be_idle(
    short_timeouts: None, app: Flask, people: dict[str, int]
) -> None:
    """A job writes it. Other transactions keep their limits, those after it, too."""

    def outlast_another(_done: int = 0) -> None:
        """Return when a transaction that began later was ended because it was idle."""
        with app.app_context(), pytest.raises(DATABASE_UNAVAILABLE):
            fall_silent(app)

    file = io.BytesIO()
    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Ani"))
        write_csv(Filters(), file, lambda done: pool.submit(outlast_another, done).result())
    assert b"Ani" in file.getvalue()
    outlast_another()


def fall_silent(app: Flask) -> None:
    """Lock the row, stay silent until another session has it, and use the session again."""
    with transaction() as session:
        session.execute(LOCK)
        begun = time.monotonic()
        with held_row(app):
            assert time.monotonic() - begun < 4
        session.execute(LOCK)


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_after_a_failed_connect_others_are_refused_at_once(
    settings: dict[str, str], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "RESET_SECONDS", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"{scheme}://u@127.0.0.1:{port}/x"
        client = create_app(config.load({**settings, "DATABASE_URL": url})).test_client()
        silent.setblocking(False)
        for connects in (True, False):
            answer = client.post("/login", json={"nim": "1", "password": "x"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert bool(list(accepted(silent))) == connects


def accepted(server: socket.socket) -> Iterator[None]:
    """Accept and close each waiting connection; yield once for each."""
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            yield


def test_the_breaker_lets_one_try_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "RESET_SECONDS", 0.0)
    uri = f"postgresql+psycopg://u@127.0.0.1:{any_free()}/x"
    dialect = create_engine(uri).dialect
    tried = breaker.ConnectBreaker()
    arguments = dialect, None, [], {"conninfo": uri.replace("+psycopg", "")}
    refused = dialect.loaded_dbapi.OperationalError
    with pytest.raises(refused):
        tried.connect(*arguments)

    def inside(*_: object, **__: object) -> None:
        with pytest.raises(refused):
            tried.connect(*arguments)
        raise ZeroDivisionError

    monkeypatch.setattr(dialect, "connect", inside)
    with pytest.raises(ZeroDivisionError):
        tried.connect(*arguments)


def test_a_connection_refused_by_the_breaker_raises_the_databases_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaker, "RESET_SECONDS", 0.0)
    tried, refused = breaker.ConnectBreaker(), psycopg.OperationalError("gone")
    connecting, may_end = threading.Event(), threading.Event()

    def connect(*_: object, **__: object) -> str:
        connecting.set()
        assert may_end.wait(10)
        return "a connection"

    class Refusing:
        """Reads the driver's error only after the other's connection was made."""

        @property
        def loaded_dbapi(self) -> object:
            may_end.set()
            other.join(10)
            return psycopg

    failing = SimpleNamespace(loaded_dbapi=psycopg, connect=Mock(side_effect=refused))
    with pytest.raises(psycopg.OperationalError):
        tried.connect(failing, None, [], {})
    working = SimpleNamespace(loaded_dbapi=psycopg, connect=connect)
    other = threading.Thread(target=tried.connect, args=(working, None, [], {}))
    other.start()
    assert connecting.wait(10)
    with pytest.raises(psycopg.OperationalError, match="gone"):
        tried.connect(Refusing(), None, [], {})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_database_is_reached_again_after_a_restart(app: Flask, postgresql: PostgreSQL) -> None:
    """All connections are ended, as by a fast shutdown: the next request gets a new one."""
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
        ours = f"pg_stat_activity WHERE datname = '{db.engine.url.database}'"
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM {ours}")
        assert db.session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    ("statement", "unavailable"), [("SELECT * FROM nothing", False), ("SELECT pg_sleep(9)", True)]
)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_wrong_statement_does_not_count_as_an_unavailable_database(
    app: Flask, statement: str, unavailable: bool
) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 50"))
        with pytest.raises(Exception) as caught:  # noqa: PT011 (its class is what differs)
            connection.execute(text(statement))
        assert is_unavailable(caught.value) is unavailable
        assert isinstance(caught.value, OperationalError) is unavailable


@pytest.mark.parametrize(
    ("limit", "table", "unavailable"),
    [("query_only=ON", "t", True), ("max_page_count=2", "t", True), ("user_version=1", "u", False)],
)
def test_a_full_or_read_only_database_is_unavailable(
    tmp_path: Path, limit: str, table: str, unavailable: bool
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/database")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (value)")
        connection.exec_driver_sql(f"PRAGMA {limit}")
        with pytest.raises(OperationalError) as caught:
            connection.execute(text(f"INSERT INTO {table} VALUES (randomblob(100000))"))
    assert is_unavailable(caught.value) is unavailable


def test_a_file_that_cannot_be_opened_is_an_unavailable_database(tmp_path: Path) -> None:
    with pytest.raises(OperationalError) as caught:
        create_engine(f"sqlite:///{tmp_path}").connect()
    assert is_unavailable(caught.value)
