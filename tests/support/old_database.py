"""Rows of an older schema, for tests of migrations; `BEFORE` is the revision of version 0.1."""

from datetime import timedelta
from typing import Any

from sqlalchemy import JSON, column, insert, table

from myukm.db.session import transaction
from myukm.db.types import UTCDateTime, utcnow

BEFORE = "0007"
MOMENTS = ("at", "created_at", "deleted_at", "published_at", "moved_at", "started_at")
DAY_AGO = utcnow().replace(microsecond=0) - timedelta(days=1)


def store(name: str, *rows: dict[str, Any]) -> None:
    """Insert rows into a table whose columns are the keys of the first row, not today's model."""
    types: dict[str, Any] = dict.fromkeys(MOMENTS, UTCDateTime()) | {"chosen": JSON()}
    known = table(name, *(column(each, types.get(each)) for each in rows[0]))
    with transaction() as session:
        session.execute(insert(known), list(rows))
