"""Steps of migrations that may be repeated.

MariaDB commits each step at once, so a killed upgrade that is run again repeats committed steps.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column, unless a killed upgrade has added it already."""
    known = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in known:
        op.add_column(table, column)
