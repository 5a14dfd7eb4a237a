"""Engine settings: pools, listeners, and SQLite's locking."""

import os
import random
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

from flask import Flask
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from myukm.db import clock, timeouts
from myukm.db import json as decimal_json
from myukm.db.availability import name_idle_sessions
from myukm.db.breaker import ConnectBreaker
from myukm.db.liveness_check import LivenessCheck
from myukm.db.troubles import Troubles
from myukm.extensions import db

# Seconds that a writer waits for the lock on SQLite, and the range of the pause between two polls.
SQLITE_TIMEOUT, SQLITE_POLL_SECONDS = 5.0, (0.0005, 0.003)
# Connections of a process, and seconds that a caller waits for one while all are in use.
POOL_SIZE, POOL_SECONDS = 10, 3
_engines: WeakSet[Engine] = WeakSet()


def _drop_inherited_connections() -> None:
    """Drop the connections in a forked process, because it would share transactions with its
    parent."""
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_drop_inherited_connections)


def engine_options(uri: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for the database at `uri`."""
    url = make_url(uri)
    # No overflow, because overflow connections are closed when they return to the pool, and opening
    # a connection takes several round trips and a new server process.
    pool: dict[str, Any] = {
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
    }
    common: dict[str, Any] = {
        "json_serializer": decimal_json.dumps,
        "json_deserializer": decimal_json.loads,
        "hide_parameters": True,  # errors are logged, and must not contain users' texts
    }
    if url.get_backend_name() == "sqlite":
        return {**common, **pool, "connect_args": {"timeout": SQLITE_TIMEOUT}}
    pool["pool_pre_ping"] = True
    connect = timeouts.client_options(url)
    return {**common, **pool, "connect_args": connect, "isolation_level": "READ COMMITTED"}


def prepare_engine(app: Flask) -> None:
    """Register the engine's listeners, and let forked processes drop its connections."""
    uri: str = app.config["SQLALCHEMY_DATABASE_URI"]
    with app.app_context():
        engine = db.engine
    if engine.dialect.name != "sqlite":
        app.extensions["database_liveness"] = LivenessCheck(engine, _health_check_engine(uri))
    register(engine)
    sqlite_file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
    troubles = app.extensions["database_troubles"] = Troubles(sqlite_file)
    event.listen(engine, "handle_error", troubles.record_error)
    event.listen(engine, "connect", troubles.record_file)
    _engines.add(engine)


def _health_check_engine(uri: str) -> Engine:
    """Return an engine with one connection, on which `LivenessCheck` queries the server."""
    engine = create_engine(uri, **(engine_options(uri) | {"pool_size": 1}))
    register(engine)
    return engine


def migration_engine(uri: str) -> Engine:
    """Return an engine whose statements and transactions may take any time."""
    options = engine_options(uri)
    options["connect_args"] = timeouts.unlimited(options["connect_args"])
    engine = create_engine(uri, **options)
    register(engine, statement_seconds=None)
    event.listen(engine, "begin", timeouts.lift_time_limits)
    return engine


def register(
    engine: Engine, *, statement_seconds: float | None = timeouts.STATEMENT_SECONDS
) -> None:
    """Register an engine's listeners: SQLite's locking, or a server's breaker and time limits.

    `statement_seconds` limits the wait for MariaDB's response to a statement; None: no limit.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return
    event.listen(engine, "do_connect", ConnectBreaker().connect)
    event.listen(engine, "handle_error", name_idle_sessions, retval=True)
    set_up: Callable[[Any, URL], None] = partial(timeouts.set_up_mariadb, seconds=statement_seconds)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "do_connect", _name_session, insert=True)
        set_up = timeouts.set_up_postgresql
    else:
        from myukm.db import mariadb_tls  # importing PyMySQL takes long

        mariadb_tls.share_context()
    event.listen(engine, "connect", lambda connection, _: set_up(connection, engine.url))
    event.listen(engine, "connect", lambda new, _: clock.measure(new, engine.dialect.name))


def _name_session(_dialect: Any, _record: Any, _cargs: Any, cparams: dict[str, Any]) -> None:
    cparams.setdefault("application_name", timeouts.session_name())


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin_sqlite` sends BEGIN
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # The driver executes these statements directly, because SQLAlchemy's overhead for them is
    # larger than the time that SQLite needs to insert a chat message.
    driver: Any = connection.connection.driver_connection
    if not connection.get_execution_options().get("writes"):
        driver.execute("BEGIN")
        return
    driver.execute("PRAGMA busy_timeout=0")
    try:
        _wait_to_write(connection, driver)
    finally:
        driver.execute(f"PRAGMA busy_timeout={SQLITE_TIMEOUT * 1000:.0f}")


def _wait_to_write(connection: Connection, driver: sqlite3.Connection) -> None:
    """Begin a transaction as soon as no other process writes.

    Polls in Python, because SQLite's own busy handler polls ever more rarely (up to every 100 ms)
    and blocks all other requests of a gevent process meanwhile.
    """
    deadline = time.monotonic() + SQLITE_TIMEOUT
    while (error := _begin_writing(driver)) is not None:
        # The low byte is the primary code: SQLITE_BUSY_RECOVERY, for example, is SQLITE_BUSY, too.
        is_busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if not is_busy or time.monotonic() > deadline:
            # SQLAlchemy executes it once more and raises its own error, for which pages return 503
            # and by which the doctor knows a damaged file; the driver's error would bypass both.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        time.sleep(random.uniform(*SQLITE_POLL_SECONDS))  # noqa: S311 (spread, no secret)


def _begin_writing(driver: sqlite3.Connection) -> sqlite3.Error | None:
    """Begin a write transaction; return the error if that fails."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return error
    return None
