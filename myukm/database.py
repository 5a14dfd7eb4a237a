"""How the program talks to its database: one way to write, and the column types of all models."""

import os
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from flask import Flask, has_app_context
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Delete,
    Insert,
    Integer,
    Numeric,
    String,
    Update,
    bindparam,
    event,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from myukm import exact_json
from myukm.extensions import db

# Seconds that a writer waits for others on SQLite, and the pause before it looks again.
SQLITE_PATIENCE, SQLITE_GLANCE = 5.0, (0.0005, 0.003)

Id = BigInteger().with_variant(Integer, "sqlite")


def is_id(value: Any) -> bool:
    """Return whether a row can have this id (SQLite does not even take a larger number)."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def key_type(length: int) -> TypeEngine[str]:
    """Return a string type for identifiers: compared byte by byte on every database."""
    return String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql")


def utcnow() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime | None) -> str | None:
    """Return a moment as JSON carries it: ISO 8601 in UTC with `Z`; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _SQLiteNumeric(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "NUMERIC(20, 2)"


class Rupiah(TypeDecorator[Decimal]):
    """An amount of money, a `Decimal` on every database (SQLite would hand out floats)."""

    impl = Numeric(20, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = _SQLiteNumeric() if dialect.name == "sqlite" else Numeric(20, 2)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value))


@contextmanager
def write() -> Iterator[Session]:
    """The one way to change the database: a transaction that commits at the end of the block.

    It ends the read transaction before it (on SQLite a transaction that read first could not
    write any more), and rolls back on any error. Inside another `write()` it joins that one.
    """
    session = db.session()
    if session.info.get("writing"):
        yield session
        return
    session.commit()
    session.info["writing"] = True
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["writing"] = False


def let_go() -> None:
    """Give the connection back before a wait that needs none: others may need it meanwhile."""
    if has_app_context() and not db.session().info.get("writing"):
        db.session.commit()


def among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return `column IN (ids)` with the numbers written out: to bind hundreds one by one takes
    longer than the rest of the query."""
    numbers: BindParameter[Any] = bindparam(
        "ids", list(ids), unique=True, expanding=True, literal_execute=True
    )
    return cast(ColumnElement[bool], column.in_(numbers))


def count_changed(session: Session, statement: Update | Delete | Insert) -> int:
    """Execute an UPDATE, DELETE or INSERT … SELECT and return how many rows it touched."""
    done = session.execute(statement, execution_options={"preserve_rowcount": True})
    return int(cast(CursorResult[Any], done).rowcount)


def engine_options(uri: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for the database at `uri`."""
    pool: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
    exact: dict[str, Any] = {
        "json_serializer": exact_json.dumps,
        "json_deserializer": exact_json.loads,
        "hide_parameters": True,  # errors are logged, and what people wrote must not be
    }
    if uri.startswith("sqlite"):
        return {**exact, **pool, "connect_args": {"timeout": SQLITE_PATIENCE}}
    pool["pool_pre_ping"] = True
    connect: dict[str, Any] = {"connect_timeout": 3}
    if uri.startswith("mysql"):
        connect |= {"charset": "utf8mb4"}
    return {**exact, **pool, "connect_args": connect, "isolation_level": "READ COMMITTED"}


def prepare_engine(app: Flask) -> None:
    """Set the connection up for several processes: SQLite's locking, clean hands after a fork."""
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        _wait_to_write(connection)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={SQLITE_PATIENCE * 1000:.0f}")


def _wait_to_write(connection: Connection) -> None:
    """Begin when no other process writes. SQLite's own waiting looks only every 100 ms in the end,
    and all other requests of a gevent process would stand still meanwhile."""
    deadline = time.monotonic() + SQLITE_PATIENCE
    while not _begun(connection, last=time.monotonic() > deadline):
        time.sleep(random.uniform(*SQLITE_GLANCE))  # noqa: S311 (spread, no secret)


def _begun(connection: Connection, *, last: bool) -> bool:
    """Begin; False when another process writes, which is an error if it is the last try."""
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if last or getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
