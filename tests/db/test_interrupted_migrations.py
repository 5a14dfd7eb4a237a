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


class Killed(BaseException):
    """The upgrade ended here."""


@contextmanager
def killed_before_a_new_version(known: set[str]) -> Iterator[None]:
    """Raise `Killed` when a version is to be stored for the first time; add it to `known`."""

    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE alembic_version") and statement not in known:
            known.add(statement)
            raise Killed

    event.listen(Engine, "before_cursor_execute", kill)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", kill)


def columns() -> dict[str, set[str]]:
    inspector = inspect(db.engine)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_each_migration_that_was_killed_at_its_end_can_be_repeated(app: Flask) -> None:
    with app.app_context():
        complete = columns()
        flask_migrate.downgrade(revision="0003")
        known: set[str] = set()
        done = False
        while not done:
            try:
                with killed_before_a_new_version(known):
                    flask_migrate.upgrade()
                    done = True
            except Killed:
                db.session.remove()
        assert len(known) > 20
        assert columns() == complete
