"""What the lists of students can be filtered by: the units, classes, periods that there are."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from myukm.cache import ttl_cache
from myukm.domain.siswa.filters import BILLS, PLACES
from myukm.extensions import db

FRESH_SECONDS = 300


@ttl_cache(FRESH_SECONDS)
def choices() -> dict[str, list[str]]:
    """Return the values of each filter, sorted; read anew every five minutes, because they hardly
    ever change and many rows are read for them."""
    return _values(PLACES) | _values(BILLS)


def _values(columns: dict[str, Any]) -> dict[str, list[str]]:
    rows = db.session.execute(select(*columns.values()).distinct()).all()
    return {name: _sorted(row[n] for row in rows) for n, name in enumerate(columns)}


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(set(values), key=lambda value: (value == "", value.casefold(), value))
