"""What the lists of students can be filtered by: the units, classes, periods that there are."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from myukm.cache import ttl_cache
from myukm.domain.siswa.filters import PLACES
from myukm.domain.siswa.matching import OF_SETS
from myukm.extensions import db
from myukm.models import BillSet, Siswa

FRESH_SECONDS = 300


@ttl_cache(FRESH_SECONDS)
def choices() -> dict[str, list[str]]:
    """Return the values of each filter, sorted; read anew every five minutes, because they hardly
    ever change and many rows are read for them."""
    in_use = select(Siswa.bill_set).where(Siswa.bill_set.is_not(None))
    return _values(PLACES) | _values(OF_SETS, BillSet.id.in_(in_use.distinct()))


def _values(columns: dict[str, Any], *conditions: Any) -> dict[str, list[str]]:
    rows = db.session.execute(select(*columns.values()).where(*conditions).distinct()).all()
    return {name: _sorted(row[n] for row in rows) for n, name in enumerate(columns)}


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(set(values), key=lambda value: (value == "", value.casefold(), value))
