"""A row of a table as a line of JSON, and back, exactly as the program sees it."""

import base64
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Column, LargeBinary, Row

from myukm.db.types import Rupiah, UTCDateTime

_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
_decoder = msgspec.json.Decoder(list[Any], float_hook=Decimal)


def encode(row: Row[Any]) -> bytes:
    """Return the row as one line."""
    return _encoder.encode([_canonical(value) for value in row]) + b"\n"


def decode(columns: Sequence[Column[Any]], line: bytes) -> dict[str, Any]:
    """Return the values of a line's row, which are in the order of `columns`, by column name."""
    values = zip(columns, _decoder.decode(line), strict=True)
    return {column.name: _typed(column.type, value) for column, value in values}


def _canonical(value: Any) -> Any:
    """Return an equal value that is always written in the same way: the amount 5.00 as 5."""
    return value.normalize() if isinstance(value, Decimal) else value


def _typed(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, Rupiah):
        return Decimal(str(value))
    return value
