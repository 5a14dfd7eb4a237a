"""Real faults of Valkey and of the database: the finding comes with the fault and goes with it."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from flask import Flask
from sqlalchemy import make_url

import config
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from myukm.ops.findings import sessions
from tests.ops.findings.test_cures import commands, type_command
from tests.ops.test_doctor import named
from tests.queues.test_failures import fail
from tests.support.held_row import held_row
from tests.support.hung_disk import HungDisk
from tests.support.postgresql import PostgreSQL
from tests.support.programs import Program
from tests.support.relay import Relay
from tests.support.servers import open_folder
from tests.support.waiting import wait_until

NAMED, OVER = 30, 30
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def wait_named(app: Flask, code: str) -> dict[str, str]:
    """Wait for the finding and return it."""
    return dict(wait_until(lambda: named(app, code), NAMED, f"{code} is named")[0])


def wait_over(app: Flask, code: str) -> None:
    wait_until(lambda: not named(app, code), OVER, f"{code} goes with its fault")


@pytest.fixture
def own(killable_valkey: Valkey, settings: dict[str, str]) -> Flask:
    """The app with that Valkey."""
    return create_app(config.load({**settings, "REDIS_URL": killable_valkey.url}))


def test_valkey_is_killed(own: Flask, killable_valkey: Valkey, tmp_path: Path) -> None:
    assert not named(own, "valkey_unreachable")
    killable_valkey.kill()
    assert wait_named(own, "valkey_unreachable")["level"] == "broken"
    with start_valkey(tmp_path / "valkey", killable_valkey.port):
        wait_over(own, "valkey_unreachable")


def test_valkey_hangs(own: Flask, killable_valkey: Valkey) -> None:
    os.kill(killable_valkey.pid, signal.SIGSTOP)
    wait_named(own, "valkey_unreachable")
    os.kill(killable_valkey.pid, signal.SIGCONT)
    wait_over(own, "valkey_unreachable")


def test_valkey_becomes_a_replica(own: Flask, killable_valkey: Valkey, valkey: redis.Redis) -> None:
    primary = valkey.connection_pool.connection_kwargs
    client = redis.Redis.from_url(killable_valkey.url)
    client.replicaof(primary["host"], primary["port"])
    assert wait_named(own, "valkey_replica")["level"] == "broken"
    client.replicaof("NO", "ONE")
    wait_over(own, "valkey_replica")


def test_valkey_cannot_save(own: Flask, killable_valkey: Valkey, tmp_path: Path) -> None:
    """It cannot write its file, because a folder has that name."""
    client = redis.Redis.from_url(killable_valkey.url)
    (tmp_path / "valkey" / "dump.rdb").mkdir()
    client.bgsave()
    assert wait_named(own, "valkey_cannot_save")["level"] == "broken"
    (tmp_path / "valkey" / "dump.rdb").rmdir()
    client.bgsave()
    wait_over(own, "valkey_cannot_save")


def test_valkey_is_far_away(killable_valkey: Valkey, settings: dict[str, str]) -> None:
    with Relay(killable_valkey.port) as relay:
        url = f"redis://127.0.0.1:{relay.port}/0"
        app = create_app(config.load({**settings, "REDIS_URL": url}))
        wait_until(lambda: not named(app, "valkey_slow"), 30, "it is near")
        relay.delay = 0.08
        assert wait_named(app, "valkey_slow")["level"] == "warning"
        relay.delay = 0.0
        wait_over(app, "valkey_slow")


def test_valkey_full_of_failed_jobs(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    """The cure is typed as it is printed."""
    fail(valkey, "KeyError: 1", 800, queue="high")
    valkey.config_set("maxmemory", int(valkey.info("memory")["used_memory"] / 0.92))
    try:
        found = wait_named(app, "valkey_memory")
        [clear] = commands(found["cure"])
        assert clear == ["queue", "clear", "high", "--failed"]
        type_command(app, start, clear)
        wait_over(app, "valkey_memory")
    finally:
        valkey.config_set("maxmemory", 0)


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL of this test alone."""
    with open_folder() as folder, PostgreSQL(folder) as server:
        yield server


def test_postgresql_is_killed(own_postgresql: PostgreSQL, settings: dict[str, str]) -> None:
    """The database is empty; its missing tables are another finding."""
    url = own_postgresql.fresh_database()
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    assert not named(app, "database_unreachable")
    own_postgresql.kill()
    assert wait_named(app, "database_unreachable")["level"] == "broken"
    own_postgresql.start()
    wait_over(app, "database_unreachable")


def test_others_take_nearly_all_connections(
    own_postgresql: PostgreSQL, settings: dict[str, str]
) -> None:
    url = own_postgresql.fresh_database()
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    assert not named(app, "database_connections")
    taken = [own_postgresql.connect() for _ in range(160)]
    assert wait_named(app, "database_connections")["level"] == "warning"
    for connection in taken:
        connection.close()
    wait_over(app, "database_connections")


@on_postgresql
def test_postgresql_is_far_away(settings: dict[str, str]) -> None:
    url = make_url(settings["DATABASE_URL"])
    with Relay(url.port or 0) as relay:
        through = url.set(port=relay.port).render_as_string(hide_password=False)
        app = create_app(config.load({**settings, "DATABASE_URL": through}))
        wait_until(lambda: not named(app, "database_slow"), 30, "it is near")
        relay.delay = 0.6
        assert wait_named(app, "database_slow")["level"] == "warning"
        relay.delay = 0.0
        wait_over(app, "database_slow")


@on_postgresql
def test_a_session_that_blocks_others_is_ended_by_the_cure(
    app: Flask, settings: dict[str, str], people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "BLOCKED_SECONDS", 1)
    with held_row(app) as connection:
        cure = wait_named(app, "database_blocked")["cure"]
        with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as operator:
            operator.execute(cure.rpartition(": ")[2].encode())
        wait_over(app, "database_blocked")
        connection.invalidate()


def test_the_tables_are_older_than_the_program(app: Flask, start: Callable[..., Program]) -> None:
    """The cure is typed as it is printed."""
    runner = app.test_cli_runner()
    assert runner.invoke(args=("db", "downgrade")).exit_code == 0
    [upgrade] = commands(wait_named(app, "migrations")["cure"])
    type_command(app, start, upgrade)
    wait_over(app, "migrations")


def test_a_disk_that_hangs(app: Flask, tmp_path: Path) -> None:
    with HungDisk(tmp_path / "hung") as disk:
        app.config["FILES_URL"] = f"file://{disk.place}"
        assert "host.disk" in wait_named(app, "check_hangs")["message"]
    wait_over(app, "check_hangs")
