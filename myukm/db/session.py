"""How the program talks to its database: one way to write, and the column types of all models."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from flask import has_app_context
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Insert,
    Update,
    bindparam,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from myukm.extensions import db


@contextmanager
def transaction() -> Iterator[Session]:
    """The one way to change the database: a transaction that commits at the end of the block.

    It ends the read transaction before it (on SQLite a transaction that read first could not
    write any more), and rolls back on any error. Inside another `transaction()` it joins that one.
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


def release_connection() -> None:
    """Give the connection back before a wait that needs none: others may need it meanwhile."""
    if has_app_context() and not db.session().info.get("writing"):
        db.session.commit()


def in_literals(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return `column IN (ids)` with the numbers written out: to bind hundreds one by one takes
    longer than the rest of the query."""
    numbers: BindParameter[Any] = bindparam(
        "ids", list(ids), unique=True, expanding=True, literal_execute=True
    )
    return cast(ColumnElement[bool], column.in_(numbers))


def execute_rowcount(session: Session, statement: Update | Delete | Insert) -> int:
    """Execute an UPDATE, DELETE or INSERT … SELECT and return how many rows it touched."""
    result = session.execute(statement, execution_options={"preserve_rowcount": True})
    return int(cast(CursorResult[Any], result).rowcount)
