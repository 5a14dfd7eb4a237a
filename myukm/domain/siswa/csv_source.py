"""Students from a CSV file, row by row, each with the number of its first line."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.domain import csv_table
from myukm.domain.csv_table import LineReader, bad_line
from myukm.domain.siswa.fields import REQUIRED, column_of

Numbered = tuple[int, dict[str, Any]]


def read(lines: LineReader) -> Iterator[Numbered]:
    """Yield `(line, raw columns)` of each student. Raises `Invalid` that names the line.

    Columns that we do not know are ignored.
    """
    sheet = csv_table.read(lines, lambda cell: column_of(cell) is not None)
    columns = _columns(sheet.header)
    for line, cells in sheet.rows:
        yield line, _named(columns, cells, line)


def _columns(header: Sequence[str]) -> list[str | None]:
    """Return which column each cell belongs to, None for the ones that we do not know."""
    columns = [column_of(name) for name in header]
    known = [name for name in columns if name]
    missing = [name for name in REQUIRED if name not in known]
    doubled = [name for name in known if known.count(name) > 1]
    if missing:
        raise bad_line(1, _("kolom %(names)s tidak ada.", names=", ".join(missing)))
    if doubled:
        raise bad_line(1, _("kolom %(names)s ada dua kali.", names=doubled[0]))
    return columns


def _named(columns: Sequence[str | None], cells: Sequence[str], line: int) -> dict[str, Any]:
    if len(cells) != len(columns):
        raise bad_line(
            line, _("ada %(n)d kolom, seharusnya %(all)d.", n=len(cells), all=len(columns))
        )
    return {name: cell for name, cell in zip(columns, cells, strict=True) if name}
