"""The values by which lists of students can be filtered: existing units, classes, periods."""

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
    """Return the values of each filter, sorted. They are cached for five minutes, because they
    hardly ever change and the query reads many rows."""
    in_use = select(Siswa.bill_set).where(Siswa.bill_set.is_not(None))
    return _values(PLACES) | _values(OF_SETS, BillSet.id.in_(in_use.distinct()))


def _values(columns: dict[str, Any], *conditions: Any) -> dict[str, list[str]]:
    rows = db.session.execute(select(*columns.values()).where(*conditions).distinct()).all()
    return {name: _sorted(row[n] for row in rows) for n, name in enumerate(columns)}


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(set(values), key=lambda value: (value == "", value.casefold(), value))
