"""Reads CSV files in the dialects of spreadsheets and people: row by row, with line numbers."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain.text_normalization import is_blank
from myukm.errors import DomainError, Invalid

DELIMITERS = ",;\t|"
MAX_HEADER_LINES = 50
BOM, END_OF_FILE = b"\xef\xbb\xbf", b"\x1a"  # DOS ends a text with Ctrl-Z
# The line with which Excel files name their delimiter: sep=;
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?\1*', re.IGNORECASE)
# Two notations of a number that is meant as text: ="0012" and '0012
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_APOSTROPHE = re.compile(r"^\s*'(?=[0-9])")
# What a spreadsheet writes for an id that it took for a number (1.2E+09, 12.0), that did not fit
# into its column (####), or that it took for a formula (#N/A).
_MANGLED = re.compile(
    r"[0-9]+([.,][0-9]+)?E[+-][0-9]+|[0-9]+[.,]0+|#+|#(N/A|NAME\?|(REF|VALUE|NUM|NULL|DIV/0)!)",
    re.IGNORECASE,
)
UTF_16 = _('teks UTF-16 ("Unicode Text")')
# The first bytes of files that are not CSV, whatever their names.
_OTHER_FILES = {
    b"PK": _("buku kerja Excel atau LibreOffice (.xlsx, .ods)"),
    b"\xd0\xcf\x11\xe0": _("buku kerja Excel lama (.xls)"),
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"%PDF": "PDF",
    b"\x1f\x8b": _("berkas gzip"),
    b"<": _("halaman HTML atau XML"),
    b"{": "JSON",
}

Numbered = tuple[int, list[str]]  # the number of a line, and its cells


class Sheet(NamedTuple):
    """The cells of the header, its line number, and `(line, cells)` of each row that is not blank.

    A row has as many cells as the header, or more if a surplus cell is not empty.
    """

    header: list[str]
    line: int
    rows: Iterator[Numbered]


class LineReader:
    """The file's lines as text. `number` counts the lines read so far, `done` their bytes.

    Lines are decoded one by one, so that a wrong byte is reported with its line. They end with
    LF, CRLF, or CR alone, as Excel for Mac writes them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = self.done = 0

    def __iter__(self) -> Iterator[str]:
        for part in self.file:
            for line in part.splitlines(keepends=True):
                self.number += 1
                self.done += len(line)
                yield self._text(self._first(line) if self.number == 1 else line)

    def _first(self, line: bytes) -> bytes:
        """Return the first line without byte order marks. Raises `Invalid` if it is not CSV."""
        while line.startswith(BOM):
            line = line.removeprefix(BOM)
        kinds = [kind for start, kind in _OTHER_FILES.items() if line.startswith(start)]
        if kinds or b"\0" in line:
            kind = kinds[0] if kinds else UTF_16
            reason = _("ini %(kind)s, bukan CSV. Simpan sebagai CSV UTF-8.", kind=kind)
            raise bad_line(self.number, reason)
        return line

    def _text(self, line: bytes) -> str:
        try:
            return line.rstrip(END_OF_FILE).decode()
        except UnicodeDecodeError:
            reason = _("bukan UTF-8. Simpan berkas sebagai CSV UTF-8.")
            raise bad_line(self.number, reason) from None


def too_large(max_bytes: int) -> DomainError:
    """Return the error for a file over `max_bytes`, a whole number of MB."""
    text = _("Berkas ini lebih dari %(n)d MB.", n=max_bytes >> 20)
    return DomainError(text, code="too_large", status=413)


def bad_line(number: int, reason: Any) -> Invalid:
    """Return the error for a line of the file."""
    return Invalid(_("Baris %(n)d: %(reason)s", n=number, reason=reason), code="bad_row")


def read(lines: LineReader, is_known: Callable[[str], bool]) -> Sheet:
    """Read the header now and the rows lazily. Raises `Invalid` with the line number.

    The delimiter is the one that yields the most known headings. If several do, a line `sep=`
    decides.
    """
    text = iter(lines)
    header = _next_line(text)
    named = _SEPARATOR.fullmatch(header.rstrip("\r\n"))
    if named:
        header = _next_line(text)
    start = max(lines.number, 1)
    for _line in range(MAX_HEADER_LINES):
        if header.count('"') % 2 == 0:
            break
        header += next(text, "")
    candidates = (named[1] if named else "") + DELIMITERS
    headings = {delimiter: _cells(header, delimiter) for delimiter in candidates}
    best = max(headings, key=lambda delimiter: sum(map(is_known, headings[delimiter])))
    return Sheet(headings[best], start, _rows(lines, text, best, len(headings[best])))


def _next_line(text: Iterator[str]) -> str:
    """Return the next line that has more than blanks and delimiters, "" at the end."""
    return next((line for line in text if not is_blank(re.sub(r'[,;|"]', "", line))), "")


def heading(cell: str) -> str:
    """Return a heading in comparable form: only letters and digits, in lower case."""
    return "".join(c for c in cell.casefold() if c.isalnum())


def is_mangled(cell: str) -> bool:
    """Return whether a spreadsheet has changed this id, so that it identifies nobody any more."""
    return _MANGLED.fullmatch(cell.strip()) is not None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise bad_line(1, _("tidak bisa dibaca (%(why)s).", why=error)) from None


def _rows(lines: LineReader, text: Iterator[str], delimiter: str, width: int) -> Iterator[Numbered]:
    rows = csv.reader(text, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        start = lines.number + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise bad_line(start, _("tidak bisa dibaca (%(why)s).", why=error)) from None
        if cells is None:
            return
        if not all(map(is_blank, cells)):
            yield start, _fitted(cells, width)


def _fitted(cells: Sequence[str], width: int) -> list[str]:
    """Return the cells padded to `width`, without empty cells beyond it, because spreadsheets add
    or omit empty cells at the end of a row."""
    surplus = [] if all(map(is_blank, cells[width:])) else cells[width:]
    missing = [""] * (width - len(cells))
    return [*map(_plain, cells[:width]), *surplus, *missing]


def _plain(cell: str) -> str:
    """Return a cell without the notation by which spreadsheets mark a number as text."""
    marked = _AS_TEXT.fullmatch(cell)
    return marked[1].replace('""', '"') if marked else _APOSTROPHE.sub("", cell, count=1)
