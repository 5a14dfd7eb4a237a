"""Findings about sessions: one that blocks others, missing time-outs, too few connections."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

import config
from myukm import create_app
from myukm.extensions import db
from myukm.ops.findings import Finding, sessions
from tests.ops.test_doctor import named, wait_finding
from tests.support.held_row import held_row
from tests.support.pgbouncer import console, pgbouncer
from tests.support.postgresql import PostgreSQL
from tests.support.servers import open_folder
from tests.support.waiting import wait_until

servers = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
on_mariadb = pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def lock_and_release(app: Flask) -> None:
    with held_row(app):
        pass


def blocked(app: Flask) -> list[Finding]:
    time.sleep(0.15)  # MariaDB renews its list of transactions only if it was not read for 0.1 s
    with app.app_context():
        found = list(sessions.blocked())
        db.session.rollback()
        return found


@servers
def test_a_session_that_holds_a_row_for_long_is_named(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "BLOCKED_SECONDS", 1)
    wait_until(lambda: not blocked(app), 30, "no other test blocks anybody on this server")
    # The row is released first, also when the test fails; otherwise the pool would wait for ever.
    with ThreadPoolExecutor(1) as pool, held_row(app):
        found = wait_until(lambda: blocked(app), 30)[0]
        assert (found.code, found.level) == ("database_blocked", "warning")
        assert "127.0.0.1" in found.message
        pool.submit(lock_and_release, app)
        wait_until(lambda: blocked(app)[0].level == "broken", 30)
        assert "1 sesi menunggunya" in blocked(app)[0].message
    assert wait_until(lambda: not blocked(app), 30)


@on_mariadb
def test_an_account_that_may_not_see_transactions_is_cured(
    app: Flask, settings: dict[str, str]
) -> None:
    address = settings["DATABASE_URL"]
    database = address.rpartition("/")[2]
    account = f"'plain_{database}'@'127.0.0.1'"
    own = create_app(
        config.load({**settings, "DATABASE_URL": address.replace("root@", f"plain_{database}@")})
    )
    with app.app_context(), db.engine.connect() as root, ExitStack() as at_the_end:
        root.exec_driver_sql(f"CREATE USER {account}")
        at_the_end.callback(root.exec_driver_sql, f"DROP USER {account}")
        root.exec_driver_sql(f"GRANT ALL ON {database}.* TO {account}")
        found = wait_finding(own, "database_privilege")
        assert found["cure"].endswith(f": GRANT PROCESS ON *.* TO {account}")
        root.exec_driver_sql(found["cure"].partition(": ")[2])
        with own.app_context():
            db.engine.dispose()
        wait_until(lambda: not named(own, "database_privilege"), 30, "it goes")


@on_postgresql
def test_a_session_that_only_reads_blocks_nobody(
    app: Flask, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup reads for minutes."""
    monkeypatch.setattr(sessions, "BLOCKED_SECONDS", 0)

    def reads() -> bool:
        with app.app_context():
            running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'"
            return bool(db.session.scalar(text(running)))

    with psycopg.connect(settings["DATABASE_URL"]) as reader, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(reader.execute, b"SELECT pg_sleep(2)")
        wait_until(reads, 30, "the other session reads")
        assert blocked(app) == []
        assert not reading.done(), "it was examined while it read"


@servers
def test_all_is_well(app: Flask) -> None:
    with app.app_context():
        assert [*sessions.blocked(), *sessions.settings(), *sessions.connections()] == []


@on_postgresql
def test_too_few_connections_for_the_running_processes(
    app: Flask, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CONNECTIONS_PER_WEB_PROCESS", 150)
    names = ["myukm gunicorn web1:7", "myukm gunicorn web2:7", "myukm worker.py w1:9"]
    with ExitStack() as connections, app.app_context():
        for name in names:
            connection = psycopg.connect(settings["DATABASE_URL"], application_name=name)
            connections.enter_context(connection)
        found = list(sessions.connections())
        db.session.rollback()
    assert [finding.code for finding in found] == ["database_connections"]
    assert "menerima 197" in found[0].message


@servers
def test_nearly_all_connections_in_use(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "NEARLY_ALL", 0.001)
    with app.app_context():
        assert [finding.code for finding in sessions.connections()] == ["database_connections"]


@on_postgresql
def test_a_role_without_limits_is_told_how_to_get_them(app: Flask, postgresql: PostgreSQL) -> None:
    with app.app_context():
        with db.engine.connect() as connection:
            connection.exec_driver_sql("SET lock_timeout = 0")
            connection.commit()
        found = list(sessions.settings())
        assert found[0].code == "database_settings"
        assert found[0].cure.endswith("ALTER ROLE postgres SET lock_timeout = '5000ms';")
        with db.engine.connect() as connection:
            connection.execute(text('CREATE ROLE "unit-kampus"'))
            connection.execute(text('SET LOCAL ROLE "unit-kampus"'))
            shown = connection.scalar(text(sessions.ROLE))
            connection.rollback()
        assert shown == '"unit-kampus"', "as PostgreSQL reads it"


def test_sessions_of_a_pooler_get_limits(settings: dict[str, str]) -> None:
    """Both commands of the cure are typed; on a server of this test, because they change a role."""
    with (
        open_folder() as folder,
        PostgreSQL(folder) as server,
        pgbouncer(server, server.fresh_database()) as url,
    ):
        app = create_app(config.load({**settings, "DATABASE_URL": url}))
        cure = wait_finding(app, "database_settings")["cure"]
        assert "lalu RECONNECT di konsol PgBouncer: ALTER ROLE postgres" in cure
        server.execute(cure.rpartition(": ")[2])
        with psycopg.connect(console(url), autocommit=True) as operator:
            operator.execute("RECONNECT")
        wait_until(lambda: not named(app, "database_settings"), 30, "it goes")
