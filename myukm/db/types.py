"""Column types of all models, and helpers for their values (ids, UTC times)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    DateTime,
    Integer,
    Numeric,
    String,
    bindparam,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from myukm.db import clock

Id = BigInteger().with_variant(Integer, "sqlite")


def is_id(value: int) -> bool:
    """Return whether `value` is in the range of an id column. A query with another value would be a
    database error."""
    return 0 < value < 2**63


def key_type(length: int) -> TypeEngine[str]:
    """Return a string type for identifiers: case-sensitive, compared by bytes on all databases."""
    return String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql")


def utcnow() -> datetime:
    """Return the current time by the database's clock, timezone-aware, in UTC."""
    return clock.now()


def ago(span: timedelta) -> BindParameter[datetime]:
    """Return a bind parameter for a statement that is built once: at each execution its value is
    the time `span` ago."""
    return bindparam(None, callable_=lambda: utcnow() - span, type_=UTCDateTime())


def to_iso8601(moment: datetime | None) -> str | None:
    """Return a time as in JSON: ISO 8601 in UTC with `Z`; None for None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class UTCDateTime(TypeDecorator[datetime]):
    """A timezone-aware time, stored in UTC with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _SQLiteNumeric(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "NUMERIC(20, 2)"


class Rupiah(TypeDecorator[Decimal]):
    """An amount of money as `Decimal` on every database (SQLite itself would return floats)."""

    impl = Numeric(20, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = _SQLiteNumeric() if dialect.name == "sqlite" else Numeric(20, 2)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value))
