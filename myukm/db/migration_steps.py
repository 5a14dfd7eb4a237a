"""Steps of migrations that may be repeated.

MariaDB commits each step at once, so a killed upgrade or downgrade that is run again repeats
committed steps.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column, unless a killed upgrade has added it already."""
    if column.name not in _columns(table):
        op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    """Drop a column, unless a killed downgrade has dropped it already.

    Not in batch mode: it would recreate the table, and SQLite would delete the rows that refer to
    it. `IF EXISTS` is not known to SQLite.
    """
    if name in _columns(table):
        op.drop_column(table, name)


def _columns(table: str) -> set[str]:
    return {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
