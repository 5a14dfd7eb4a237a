"""On MariaDB each change of a table commits at once, so a killed migration leaves it half done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import event, inspect
from sqlalchemy.engine import Engine

from myukm.extensions import db
from tests.conftest import every_database

COMMITS = ("CREATE", "ALTER", "DROP", "UPDATE alembic_version")


OLDEST = "0003"  # the first three make a new database; if killed, it is dropped and made again


class Killed(Exception):
    """The migration ended here.

    No `BaseException`: after one SQLAlchemy leaves a detached connection open, with its locks,
    until it is collected as garbage. The connection of a process that is killed is closed.
    """


@contextmanager
def killed_before_a_new_step(known: set[str]) -> Iterator[None]:
    """Raise `Killed` before a statement that is not in `known` and commits; add it to `known`."""

    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(COMMITS) and statement not in known:
            known.add(statement)
            raise Killed

    event.listen(Engine, "before_cursor_execute", kill)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", kill)


def tables() -> dict[str, tuple[set[str], set[str]]]:
    """Return the names of each table's columns and indexes."""
    inspector = inspect(db.engine)
    return {
        table: (
            {column["name"] for column in inspector.get_columns(table)},
            {str(index["name"]) for index in inspector.get_indexes(table)},
        )
        for table in inspector.get_table_names()
    }


def repeat_until_done(migrate: Callable[[], None]) -> int:
    """Migrate, killed once before each step; return the number of kills."""
    known: set[str] = set()
    while True:
        try:
            with killed_before_a_new_step(known):
                migrate()
                return len(known)
        except Killed:
            db.session.remove()


@every_database
def test_a_migration_that_was_killed_before_any_step_can_be_repeated(app: Flask) -> None:
    with app.app_context():
        complete = tables()
        assert repeat_until_done(lambda: flask_migrate.downgrade(revision=OLDEST)) > 100
        old = tables()
        assert repeat_until_done(flask_migrate.upgrade) > 100
        assert tables() == complete
        flask_migrate.downgrade(revision=OLDEST)
        assert tables() == old
