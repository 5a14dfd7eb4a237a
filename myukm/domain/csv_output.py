"""CSV output that is safe to open in spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

# What starts so would be a formula in a spreadsheet; a negative number is none. A spreadsheet may
# take another sign than the comma for the separator, or a line's end inside a cell for a row's:
# then a cell starts behind it, with or without quotes. Signs that nobody sees it may leave out.
_UNSEEN = r"\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
FORMULA = re.compile(rf"(^|[;,|\t\r\n\v\f\x85\u2028\u2029])([\s\"'{_UNSEEN}]*)(?=[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def to_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Return the lines of a CSV file.

    UTF-8 with a byte order mark, which spreadsheets take for the sign of UTF-8.
    """
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(row)


def escape_formula(value: Any) -> Any:
    """Return a cell that holds no formula, whatever sign a spreadsheet takes for the separator."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return FORMULA.sub(r"\1\2'", value)


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(escape_formula(cell) for cell in cells)
    return line.getvalue()
