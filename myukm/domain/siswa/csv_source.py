"""Reads students from a CSV file, row by row; errors have the line number."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from flask_babel import lazy_gettext as _

from myukm.domain import csv_table
from myukm.domain.csv_table import LineReader, bad_line
from myukm.domain.siswa.fields import REQUIRED, FirstMentions, Values, clean, column_of
from myukm.errors import Invalid


def read(lines: LineReader) -> Iterator[Values]:
    """Yield each student once, validated. Raises `Invalid` with the line number.

    Columns that we do not know are ignored.
    """
    sheet = csv_table.read(lines, lambda cell: column_of(cell) is not None)
    columns = _columns(sheet.header, sheet.line)
    mentions = FirstMentions()
    for line, cells in sheet.rows:
        raw = _named(columns, cells, line)
        try:
            values = clean(raw)
            is_new = mentions.add(line, values)
        except Invalid as error:
            raise bad_line(line, error.message) from None
        if is_new:
            yield values


@contextmanager
def seekable(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is read twice; a pipe is copied to a temporary file."""
    with path.open("rb") as file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def _columns(header: Sequence[str], line: int) -> list[str | None]:
    """Return our column for each heading, None for unknown ones."""
    columns = [column_of(name) for name in header]
    known = [name for name in columns if name]
    missing = [name for name in REQUIRED if name not in known]
    doubled = [name for name in known if known.count(name) > 1]
    if missing:
        raise bad_line(line, _("kolom %(names)s tidak ada.", names=", ".join(missing)))
    if doubled:
        raise bad_line(line, _("kolom %(names)s ada dua kali.", names=doubled[0]))
    return columns


def _named(columns: Sequence[str | None], cells: Sequence[str], line: int) -> dict[str, Any]:
    if len(cells) != len(columns):
        raise bad_line(
            line, _("ada %(n)d kolom, seharusnya %(all)d.", n=len(cells), all=len(columns))
        )
    return {name: cell for name, cell in zip(columns, cells, strict=True) if name}
