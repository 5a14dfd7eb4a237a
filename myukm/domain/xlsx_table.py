"""Reads an Excel workbook (.xlsx): row by row, with the row numbers that Excel shows.

A cell that a spreadsheet stores as something else than text is a `TypedCell`, because its value may
not be what a person typed: 0012 became 12, and class 7-1 became a date.

openpyxl is imported with the first workbook, because it takes 5 MB and few processes read any.
"""

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from zipfile import BadZipFile

from flask_babel import lazy_gettext as _

from myukm.domain import xlsx_safety
from myukm.domain.csv_table import Numbered, Sheet, bad_line
from myukm.domain.text_normalization import is_blank
from myukm.errors import Invalid

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_ROW, MAX_COLUMNS, MAX_TITLE_ROWS = 1_048_576, 256, 20
_ZEROS = re.compile("0+")
# The exceptions of openpyxl and its parsers for a file that is no workbook.
_BROKEN = (
    *(BadZipFile, zlib.error, EOFError, OSError, SyntaxError, RuntimeError, ArithmeticError),
    *(LookupError, ValueError, TypeError, AttributeError, AssertionError, NotImplementedError),
)


class Kind(StrEnum):
    """The type of a cell's value, if it is not text."""

    NUMBER = "number"
    DATE = "date"
    TRUTH = "truth"
    ERROR = "error"


class TypedCell(str):
    """A cell's value as text, and the type that the spreadsheet stores it as."""

    __slots__ = ("kind",)
    kind: Kind


class _Found(NamedTuple):
    """A sheet's header, the header's row number, and the rows after it."""

    header: list[str]
    line: int
    rows: Iterator[Numbered]


def read(file: BinaryIO, is_header: Callable[[Sequence[str]], bool]) -> Sheet:
    """Read the header now and the rows lazily.

    The header is the first row (of the first `MAX_TITLE_ROWS` of each sheet) for which `is_header`,
    else the first row that is not blank. Raises `Invalid`; for merged cells only after the last
    row, because a workbook lists them there.
    """
    from openpyxl import load_workbook

    with _broken_as_invalid():
        xlsx_safety.check(file)
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        first = None
        for sheet in workbook.worksheets:
            found = _find_header(_Reader(workbook, sheet), is_header)
            if found and is_header(found.header):
                return Sheet(*found)
            first = first or found
    return Sheet(*first) if first else Sheet([], 1, iter(()))


@contextmanager
def _broken_as_invalid() -> Iterator[None]:
    try:
        yield
    except Invalid:
        raise
    except _BROKEN:
        raise Invalid(_("Berkas XLSX ini rusak dan tidak bisa dibaca."), code="bad_file") from None


def _find_header(reader: "_Reader", is_header: Callable[[Sequence[str]], bool]) -> _Found | None:
    rows, first = reader.rows(), None
    for _number, (line, cells) in zip(range(MAX_TITLE_ROWS), rows, strict=False):
        if is_header(cells):
            return _Found(cells, line, reader.body(rows, line, len(cells)))
        first = first or _Found(cells, line, iter(()))
    return first


class _Reader:
    """Reads one sheet of a workbook."""

    def __init__(self, workbook: "Workbook", sheet: Any) -> None:
        self._workbook, self._sheet = workbook, sheet

    def rows(self) -> Iterator[Numbered]:
        """Yield `(row number, cells)` of each row that is not blank."""
        from openpyxl.worksheet._reader import WorkSheetParser

        with self._sheet._get_source() as source:
            bounded = xlsx_safety.BoundedSheet(source)
            parser = WorkSheetParser(
                bounded,
                self._sheet._shared_strings,
                data_only=True,
                epoch=self._workbook.epoch,
                date_formats=self._workbook._date_formats,
                timedelta_formats=self._workbook._timedelta_formats,
            )
            parser.row_dimensions = xlsx_safety.DiscardingDict()
            for count, (line, stored) in enumerate(parser.parse(), 1):
                if max(line, count) > MAX_ROW:
                    raise bad_line(line, _("lembar Excel tidak punya baris sejauh itu."))
                bounded.row_ended()
                cells = self._cells(stored)
                if not all(map(is_blank, cells)):
                    yield line, cells
            self._merged = [area.bounds for area in getattr(parser.merged_cells, "mergeCell", ())]

    def body(self, rows: Iterator[Numbered], header: int, width: int) -> Iterator[Numbered]:
        """Yield the rows after the header, padded to its width. Raises `Invalid`."""
        with _broken_as_invalid():
            for line, cells in rows:
                surplus = [cell for cell in cells[width:] if not is_blank(cell)]
                yield line, [*cells[:width], *[""] * (width - len(cells)), *surplus]
            self._refuse_merged(header, width)

    def _refuse_merged(self, header: int, width: int) -> None:
        for left, top, _right, bottom in self._merged:
            if bottom >= header and left <= width:
                reason = _("ada sel yang digabung (Merge). Pisahkan dulu, satu sel satu isi.")
                raise bad_line(max(top, header), reason)

    def _cells(self, stored: Sequence[dict[str, Any]]) -> list[str]:
        cells: list[str] = []
        for cell in stored:
            if cell["column"] <= MAX_COLUMNS and cell["value"] is not None:
                cells.extend([""] * (cell["column"] - len(cells)))
                cells[cell["column"] - 1] = self._text(cell)
        return cells

    def _text(self, cell: dict[str, Any]) -> str:
        value = cell["value"]
        if cell["data_type"] == "e":
            return _typed(str(value), Kind.ERROR)
        if isinstance(value, bool):
            return _typed(str(value).upper(), Kind.TRUTH)
        if isinstance(value, int | float):
            return self._number(value, cell["style_id"])
        return value if isinstance(value, str) else _typed(_moment(value), Kind.DATE)

    def _number(self, value: float, style: int) -> str:
        """Return a number as a `TypedCell`; as plain text with its zeros if its format is 0000."""
        whole = int(value) if isinstance(value, int) or value.is_integer() else None
        if whole is not None and whole >= 0 and _ZEROS.fullmatch(self._format(style)):
            return str(whole).zfill(len(self._format(style)))
        return _typed(str(value if whole is None else whole), Kind.NUMBER)

    def _format(self, style: int) -> str:
        from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

        number = self._workbook._cell_styles[style].numFmtId
        if number < BUILTIN_FORMATS_MAX_SIZE:
            shown = BUILTIN_FORMATS.get(number, "")
        else:
            shown = self._workbook._number_formats[number - BUILTIN_FORMATS_MAX_SIZE]
        return "" if shown == "0" else shown  # a plain whole number


def _typed(text: str, kind: Kind) -> TypedCell:
    cell = TypedCell(text)
    cell.kind = kind
    return cell


def _moment(value: Any) -> str:
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
