"""JSON whose numbers stay what they are: no floats in, no NaN, no rounding out."""

import json
import re
from decimal import Decimal
from typing import Any

_HELD = re.compile(r'"\\u0000([^"]+)"')


def loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; numbers with a point or exponent become `Decimal`.

    Raises ValueError for what is not JSON (NaN and Infinity are not), RecursionError for a text
    nested beyond measure.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def dumps(value: Any) -> str:
    """Return `value` as JSON text, each `Decimal` as the number it was read from."""
    text = json.dumps(value, default=_hold, separators=(",", ":"))
    return _HELD.sub(r"\1", text) if "\\u0000" in text else text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _hold(value: Any) -> str:
    """The encoder can't write a number as it stands, so it goes out as a marked text first."""
    if isinstance(value, Decimal):
        return f"\0{value}"
    raise TypeError(f"{type(value).__name__} has no JSON form")
