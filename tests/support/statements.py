"""Counts the statements that reach the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

# How a transaction begins on SQLite; the other databases get it from their driver.
BEGINNINGS = ("BEGIN", "PRAGMA")


@contextmanager
def recorded_statements(app: Flask) -> Iterator[list[str]]:
    """Yield the list of statements that the app executes in the block."""
    found: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(BEGINNINGS):
            found.append(statement)

    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", record)
