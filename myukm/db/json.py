"""JSON with exact numbers: `Decimal` instead of float, because amounts must not be rounded."""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; numbers with a point or exponent become `Decimal`.

    Raises ValueError for anything that is not JSON (such as NaN), RecursionError for too deep
    nesting.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, InvalidOperation) as error:
        raise ValueError("not JSON") from error


def dumps(value: Any) -> str:
    """Return `value` as JSON text; a `Decimal` becomes the number it was read from."""
    return _encoder.encode(value).decode()
