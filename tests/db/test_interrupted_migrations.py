"""On MariaDB each change of a table commits at once, so a killed upgrade leaves it half done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import event, inspect
from sqlalchemy.engine import Engine

from myukm.extensions import db

COMMITS = ("CREATE", "ALTER", "DROP", "UPDATE alembic_version")


class Killed(BaseException):
    """The upgrade ended here."""


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


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_an_upgrade_that_was_killed_before_any_step_can_be_repeated(app: Flask) -> None:
    with app.app_context():
        complete = tables()
        flask_migrate.downgrade(revision="0003")
        known: set[str] = set()
        done = False
        while not done:
            try:
                with killed_before_a_new_step(known):
                    flask_migrate.upgrade()
                    done = True
            except Killed:
                db.session.remove()
        assert len(known) > 100
        assert tables() == complete
