"""Numbers of the program's migrations, and of the one that a database has.

Read without Alembic, which takes 10 MB in each process that imports it.
"""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

MIGRATIONS = Path(__file__).parents[1] / "migrations"
NUMBER = re.compile(r"^(down_)?revision = '(\w+)'$", re.MULTILINE)


@cache
def newest_migration() -> str:
    """Return the number of the program's newest migration, which no other migration follows."""
    (newest,) = known_migrations() - {number for down, number in _numbers() if down}
    return newest


@cache
def known_migrations() -> frozenset[str]:
    """Return every number that this program knows. A database of a newer program has others."""
    return frozenset(number for down, number in _numbers() if not down)


@cache
def _numbers() -> list[tuple[str, str]]:
    """Return the matches of `NUMBER`: each migration's number, and that of the one before it
    (`down_`)."""
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    return [match for file in files for match in NUMBER.findall(file.read_text())]


def applied_migrations(connection: Connection) -> set[str]:
    """Return the set with the number of the database's newest migration; empty without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))
