"""XLSX output that is safe to open in spreadsheets: texts are texts, numbers are numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

MAX_ROWS = 1_000_000  # of a sheet, of 1,048,576 that a spreadsheet can hold
# No text becomes a formula or a link, whatever it begins with; rows go to disk as they come.
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


class Column(NamedTuple):
    """A column of a sheet: its title and width."""

    title: str
    width: int


class Money(int):
    """An amount in sen, shown in rupiah."""


class Book:
    """A workbook that is written to `file` when it is left; times are shown in `zone`."""

    def __init__(self, file: IO[bytes], zone: ZoneInfo) -> None:
        self.zone = zone
        self.book = book = Workbook(file, OPTIONS)
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.money = book.add_format({"num_format": "#,##0.##;[Red]-#,##0.##"})
        self.whole = book.add_format({"num_format": "#,##0;[Red]-#,##0"})
        self.time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    def add(self, name: str, columns: Sequence[Column]) -> "Sheet":
        """Add a sheet whose head stays in sight."""
        return Sheet(self, name, columns)


class Sheet:
    """Writes rows into a sheet, and goes on in another when it is full."""

    def __init__(self, book: Book, name: str, columns: Sequence[Column]) -> None:
        self._book, self._name, self._columns, self._count = book, name, columns, 0
        self._sheet = self._new()

    def _new(self) -> Worksheet:
        number = f" {self._count // MAX_ROWS + 1}" if self._count else ""
        sheet = self._book.book.add_worksheet(self._name[:25] + number)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.title, self._book.head)
        return sheet

    def write(self, row: Sequence[Any]) -> None:
        """Write a row of texts, numbers, `Money` and times."""
        if self._count and self._count % MAX_ROWS == 0:
            self._sheet = self._new()
        at = self._count % MAX_ROWS + 1
        for place, value in enumerate(row):
            self._write(at, place, value)
        self._count += 1

    def _write(self, at: int, place: int, value: Any) -> None:
        own = self._book
        if isinstance(value, Money):
            self._sheet.write_number(
                at, place, value / 100, own.money if value % 100 else own.whole
            )
        elif isinstance(value, int):
            self._sheet.write_number(at, place, value)
        elif isinstance(value, datetime):
            local = value.astimezone(own.zone).replace(tzinfo=None)
            self._sheet.write_datetime(at, place, local, own.time)
        elif value:
            self._sheet.write_string(at, place, str(value))
