"""Sessions: `transaction()`, the only way to write, and `on_commit()`, its registered effects."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVarTuple, cast

from flask import has_app_context
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Insert,
    Update,
    bindparam,
    delete,
    event,
    inspect,
    select,
)
from sqlalchemy.engine import CursorResult, Dialect
from sqlalchemy.orm import Session

from myukm.db.base import Model
from myukm.extensions import db

Args = TypeVarTuple("Args")
logger = logging.getLogger(__name__)


@contextmanager
def transaction() -> Iterator[Session]:
    """Run the block in a transaction that commits at its end. The only way to change the database.

    An open read transaction is ended first, because SQLite may refuse to write in a transaction
    that has read. Rolls back on any error. After the commit the functions registered by `on_commit`
    are called. Inside another `transaction()` the block joins the outer one.
    """
    session = db.session()
    if is_in_transaction():
        yield session
        return
    session.commit()
    registered: dict[_Call, None] = {}
    session.info["on_commit"] = registered
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["on_commit"]
    for function, args in registered:
        _call(function, args)


@contextmanager
def snapshot() -> Iterator[Session]:
    """Run the block in a transaction that reads one consistent snapshot.

    It must not write, nor run inside a `transaction()`.
    """
    if is_in_transaction():
        raise RuntimeError("a snapshot inside a transaction")
    session = db.session()
    session.commit()
    session.connection(execution_options=snapshot_options(session.get_bind().dialect))
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def snapshot_options(dialect: Dialect) -> dict[str, Any]:
    """Return the execution options of a transaction that reads one consistent snapshot."""
    # On SQLite every transaction reads one snapshot.
    return {} if dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}


_Call = tuple[Callable[..., object], tuple[Any, ...]]


def is_in_transaction() -> bool:
    """Return whether the caller runs inside a `transaction()`, so that it may hold locks."""
    return "on_commit" in db.session().info


def on_commit(function: Callable[[*Args], object], *args: *Args) -> None:
    """Call `function(*args)` after the outermost `transaction()` has committed; outside of a
    transaction, at once. After a rollback it is not called.

    Functions are called in the order of their registration and without locks, so they may open a
    transaction of their own. The same function with equal arguments is called once. An error of a
    function is logged and stops neither the others nor the caller, whose work is committed. If the
    process is killed, no function is called. So each function needs a fallback, named in its
    docstring: the event log is polled, rights are re-checked, a periodic task catches up.
    """
    if is_in_transaction():
        db.session().info["on_commit"].setdefault((function, args))
    else:
        _call(function, args)


def _call(function: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:
        logger.exception("%s.%s failed after a commit", function.__module__, function.__qualname__)
        db.session.rollback()


@event.listens_for(db.session, "after_rollback")
def _drop_registered(session: Session) -> None:
    session.info.get("on_commit", {}).clear()


def release_connection() -> None:
    """Return the connection to the pool before a long wait, because others may need it.

    Does nothing inside a `transaction()` or without an app context.
    """
    if has_app_context() and not is_in_transaction():
        db.session.commit()


def in_literals(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return `column IN (ids)` with literal numbers, because binding hundreds of parameters takes
    longer than the query itself."""
    numbers: BindParameter[Any] = bindparam(
        "ids", list(ids), unique=True, expanding=True, literal_execute=True
    )
    return cast(ColumnElement[bool], column.in_(numbers))


def execute_rowcount(session: Session, statement: Update | Delete | Insert) -> int:
    """Execute an UPDATE, DELETE or INSERT … SELECT and return the number of affected rows."""
    result = session.execute(statement, execution_options={"preserve_rowcount": True})
    return int(cast(CursorResult[Any], result).rowcount)


def delete_some(
    session: Session, table: type[Model], which: ColumnElement[bool], most: int, key: Any = None
) -> int:
    """Delete up to `most` rows, so that no lock is held for long, and return how many were found.

    `key` is the column that tells the rows of `which` apart, by default the primary key. The number
    of deleted rows would not tell whether more are left, because another leader may have deleted
    the same ones.
    """
    key = inspect(table).primary_key[0] if key is None else key
    ids = session.scalars(select(key).where(which).limit(most)).all()
    if ids:
        session.execute(delete(table).where(key.in_(ids), which))
    return len(ids)
