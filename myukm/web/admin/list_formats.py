"""Formats the fields of a list, as core/template_list.js does when it renders the list again."""

from collections.abc import Callable, Mapping
from typing import Any

from babel.units import format_unit
from flask_babel import format_decimal, get_locale

from myukm.web.http.template_filters import waktu

NONE = "–"
# As in core/format.js: up to how many seconds, the unit, and its length in seconds.
SPANS = (
    (1.0, "millisecond", 0.001),
    (90.0, "second", 1),
    (5400.0, "minute", 60),
    (float("inf"), "hour", 3600),
)


def shown(value: Any, kind: str) -> str:
    """Return a field as the page's script shows it; `kind` is its `data-format`."""
    if value is None or value == "":
        return NONE
    return FORMATS[kind](value)


def decimal(value: float) -> str:
    """Return a number with one decimal if it is below ten."""
    return str(format_decimal(value, format="#,##0.0" if value < 10 else "#,##0"))


def span(seconds: float) -> str:
    """Return a duration in the unit that reads best: 13 md, 12 dtk, 3 mnt."""
    unit, size = next((unit, size) for limit, unit, size in SPANS if seconds < limit)
    value = seconds / size
    pattern = "#,##0.#" if value < 10 else "#,##0"
    return format_unit(value, f"duration-{unit}", "short", pattern, locale=get_locale())


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "number": lambda value: str(format_decimal(value, format="#,##0")),
    "decimal": decimal,
    "span": span,
    "list": ", ".join,
    "text": str,
    "time": waktu,
}
