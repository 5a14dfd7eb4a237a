"""XLSX output that is safe to open in spreadsheets: texts are texts, numbers are numbers.

XlsxWriter is imported with the first book, because it would take 2 MB in every process.
"""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

MAX_ROWS = 1_000_000  # per sheet; a spreadsheet can hold 1,048,576
FIRST_DAY = datetime(1899, 12, 30)  # day 0 of a workbook's dates
PORTION, MAX_CACHED_CELLS = 2_000, 8_192  # rows per write; cells per cache
EMPTY = "/>"  # the end of the XML element of an empty cell
MAX_HEADING = 120
A4 = 9  # Excel's number of the paper size
PREFIX = "myukm-xlsx-"
# Longer than writing a book can take, because the job of an export ends after half an hour.
OLD_SECONDS, SWEEP_EVERY_SECONDS = 7200.0, 600.0


class Sweeper:
    """Deletes the temporary folders of books whose process was killed. Every process runs it,
    because each machine has its own temporary folders."""

    def __init__(self) -> None:
        self._next = 0.0

    def run(self) -> None:
        """Delete old folders, at most once every `SWEEP_EVERY_SECONDS`."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SWEEP_EVERY_SECONDS
        for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > OLD_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


class Column(NamedTuple):
    """A column of a sheet: its title and width."""

    title: str
    width: int


class Money(int):
    """An amount in sen, shown in rupiah."""


class Book:
    """A workbook that is written to `file` at the end of the `with` block; times are in `zone`.

    On paper each page of each sheet has `heading`, the titles of the columns, and its number.
    Rows go to a temporary file as they come. If the block raises, `file` stays empty.
    """

    def __init__(self, file: IO[bytes], zone: ZoneInfo, heading: str = "") -> None:
        from xlsxwriter import Workbook

        self.zone = zone
        # In a header & begins a code, digits after a code are a font size, and 255 characters fit.
        text = heading[:MAX_HEADING].replace("&", "&&")
        self.heading = f"&L{' ' if text[0].isdigit() else ''}{text}" if text else ""
        self._folder = TemporaryDirectory(prefix=PREFIX)
        self.book = book = Workbook(file, {"constant_memory": True, "tmpdir": self._folder.name})
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.money = self._style("#,##0.##;[Red]-#,##0.##")
        self.whole = self._style("#,##0;[Red]-#,##0")
        self.time = self._style("yyyy-mm-dd hh:mm")
        self.amount = lru_cache(MAX_CACHED_CELLS)(self._amount)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        failed: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._folder:
            if failed is None:
                self.book.close()
                return
            for sheet in self.book.worksheets():
                sheet._opt_close()  # its temporary file

    def add(self, name: str, columns: Sequence[Column]) -> "Sheet":
        """Add a sheet whose first row, the titles, does not scroll."""
        return Sheet(self, name, columns)

    def cell(self, value: Any) -> str:
        """Return the cell of a text, a number, `Money` or a time, for `Sheet.write_cells`."""
        if isinstance(value, Money):
            return self.amount(value)
        if isinstance(value, int):
            return f"><v>{value:d}</v></c>"
        if isinstance(value, datetime):
            local = value.astimezone(self.zone).replace(tzinfo=None)
            days = (local - FIRST_DAY).total_seconds() / 86_400
            return f' s="{self.time}"><v>{days:.10f}</v></c>'
        return text(str(value)) if value else EMPTY

    def _amount(self, sen: int) -> str:
        """Return the cell of an amount in sen."""
        whole, rest = divmod(abs(sen), 100)
        digits = f"{'-' if sen < 0 else ''}{whole}" + (f".{rest:02}" if rest else "")
        return f' s="{self.money if rest else self.whole}"><v>{digits}</v></c>'

    def _style(self, number_format: str) -> int:
        """Return the number by which cells refer to a format."""
        return int(self.book.add_format({"num_format": number_format})._get_xf_index())


@lru_cache(MAX_CACHED_CELLS)
def text(value: str) -> str:
    """Return the cell of a text, which is no formula and no link, whatever it begins with."""
    from xlsxwriter.worksheet import Worksheet

    plain = Worksheet._escape_control_characters(value)
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    keep = "" if value == value.strip() else ' xml:space="preserve"'
    return f' t="inlineStr"><is><t{keep}>{escaped}</t></is></c>'


class Sheet:
    """Writes rows into a sheet, and into a further sheet when it is full.

    XlsxWriter writes the book, its styles and the titles. The rows are written here, because the
    library needs 4 µs for a cell, which is a minute for the bills of a large campus.
    """

    def __init__(self, book: Book, name: str, columns: Sequence[Column]) -> None:
        from xlsxwriter.utility import xl_col_to_name

        self._book, self._name, self._columns, self._count = book, name, columns, 0
        letters = (xl_col_to_name(place) for place in range(len(columns)))
        cells = "".join(f'<c r="{letter}#"%s' for letter in letters)
        self._row_template = f'<row r="#">{cells}</row>'
        self._sheet = self._new()

    def _new(self) -> "Worksheet":
        number = f" {self._count // MAX_ROWS + 1}" if self._count else ""
        sheet = self._book.book.add_worksheet(self._name[:25] + number)
        sheet.freeze_panes(1, 0)
        self._lay_out(sheet)
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.title, self._book.head)
        sheet._write_single_row(1)
        return sheet

    def _lay_out(self, sheet: "Worksheet") -> None:
        """Let the sheet be printed as wide as A4."""
        sheet.set_paper(A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_header(self._book.heading)
        sheet.set_footer("&R&P / &N")

    def write(self, row: Sequence[Any]) -> None:
        """Write a row of texts, numbers, `Money` and times."""
        self.write_cells([tuple(self._book.cell(value) for value in row)])

    def write_cells(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Write rows of cells, one for each column, as `Book.cell` returns them."""
        while rows:
            if self._count and self._count % MAX_ROWS == 0:
                self._sheet = self._new()
            first = self._count % MAX_ROWS + 2
            part = rows[: min(PORTION, MAX_ROWS + 2 - first)]
            template = self._row_template
            lines = [template.replace("#", str(n)) % row for n, row in enumerate(part, first)]
            self._sheet.row_data_fh.write("".join(lines))
            self._sheet.dim_rowmax = first + len(part) - 2
            self._count += len(part)
            rows = rows[len(part) :]
