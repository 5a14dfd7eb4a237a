"""CSV output that is safe to open in spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

# A cell that starts with = + - or @ would be a formula in a spreadsheet, unless it is a negative
# number. A spreadsheet may use another separator, or end a row at a newline inside a cell: then a
# cell starts after that character. Blanks, quotes and invisible characters may precede the sign.
_UNSEEN = r"\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
FORMULA = re.compile(rf"(^|[;,|\t\r\n\v\f\x85\u2028\u2029])([\s\"'{_UNSEEN}]*)(?=[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def to_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Return the lines of a CSV file.

    UTF-8 with a byte order mark, by which spreadsheets recognize UTF-8.
    """
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(row)


def escape_formula(value: Any) -> Any:
    """Return the value with an apostrophe before each sign that could begin a formula."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return FORMULA.sub(r"\1\2'", value)


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(escape_formula(cell) for cell in cells)
    return line.getvalue()
