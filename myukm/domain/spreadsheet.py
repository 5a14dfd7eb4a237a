"""CSV files that spreadsheets open as they are meant."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

# A cell that starts so would be a formula in a spreadsheet; a negative number is none.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def lines(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Return the lines of a CSV file.

    UTF-8 with a byte order mark, which spreadsheets take for the sign of UTF-8.
    """
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(row)


def safe_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(safe_cell(cell) for cell in cells)
    return line.getvalue()
