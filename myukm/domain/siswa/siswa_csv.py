"""Students from a CSV file, row by row, each with the number of its first line."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from flask_babel import lazy_gettext as _

from myukm.domain.siswa.siswa_rows import COLUMN_OF, REQUIRED
from myukm.errors import Invalid

Numbered = tuple[int, dict[str, Any]]


class Lines:
    """The file's lines as text; `number` is the last one read, `done` the bytes so far.

    Lines are decoded one by one, so that a wrong byte is reported with its line.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = self.done = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.file:
            self.number += 1
            self.done += len(line)
            try:
                yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise bad_line(
                    self.number, _("bukan UTF-8. Simpan berkas sebagai CSV UTF-8.")
                ) from None


def bad_line(number: int, reason: Any) -> Invalid:
    """Return the error that names a line of the file."""
    return Invalid(_("Baris %(n)d: %(reason)s", n=number, reason=reason), code="bad_row")


def read(lines: Lines) -> Iterator[Numbered]:
    """Yield `(line, raw columns)` of each student. Raises `Invalid` that names the line.

    The delimiter is a comma or a semicolon, whichever the header has more of; empty rows are
    skipped; columns that we do not know are ignored.
    """
    text = iter(lines)
    header = next(text, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    columns = _columns(next(csv.reader([header], delimiter=delimiter), []))
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        start = lines.number + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise bad_line(start, _("tidak bisa dibaca (%(why)s).", why=error)) from None
        if cells is None:
            return
        if any(cells):
            yield start, _named(columns, cells, start)


def _columns(header: Sequence[str]) -> list[str | None]:
    """Return which column each cell belongs to, None for the ones that we do not know."""
    columns = [COLUMN_OF.get(name.strip().lower()) for name in header]
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
