"""Parses and validates a CSV file of people. Writes nothing."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain import csv_table
from myukm.domain.accounts.account_rules import checked_person
from myukm.domain.csv_table import heading
from myukm.errors import DomainError, Invalid
from myukm.models import Role

MAX_ROWS, MAX_BYTES, MAX_CELL = 20_000, 4 * 1024 * 1024, 1000  # MAX_CELL in characters
COLUMNS = {"nim": "nim", "name": "name", "nama": "name", "role": "role", "peran": "role"}
REQUIRED = ("nim", "name")


class Row(NamedTuple):
    """A person to invite, and the line number in the file."""

    line: int
    nim: str
    name: str
    role: str


class RowError(NamedTuple):
    """An error in a line."""

    line: int
    reason: Any


class Roster(NamedTuple):
    """The valid rows, and the errors of the invalid rows."""

    rows: list[Row]
    problems: list[RowError]


def read(data: bytes) -> Roster:
    """Parse a file with the columns `nim`, `name` and optional `role` (default anggota).

    Raises `Invalid` if the file as a whole is unusable, `too_large` over `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise too_large()
    try:
        rows, problems = _read(io.BytesIO(data))
    except Invalid as error:
        raise _invalid(error.message) from None
    if not rows and not problems:
        raise _invalid(_("Tidak ada orang di dalamnya."))
    return Roster(rows, problems)


def too_large() -> DomainError:
    """Return the error for a file over `MAX_BYTES`."""
    return csv_table.too_large(MAX_BYTES)


def _read(file: io.BytesIO) -> tuple[list[Row], list[RowError]]:
    sheet = csv_table.read(csv_table.LineReader(file), lambda cell: heading(cell) in COLUMNS)
    columns = _columns(sheet.header)
    rows, problems, seen = list[Row](), list[RowError](), dict[str, int]()
    for line, cells in sheet.rows:
        if line > MAX_ROWS:
            raise _invalid(_("Paling banyak %(n)d baris sekaligus.", n=MAX_ROWS))
        try:
            rows.append(_row(line, columns, cells, seen))
        except Invalid as error:
            problems.append(RowError(line, error.message))
    return rows, problems


def _columns(header: Sequence[str]) -> list[str]:
    columns = [COLUMNS.get(heading(name), "") for name in header]
    missing = [name for name in REQUIRED if columns.count(name) != 1]
    if missing or columns.count("role") > 1:
        raise _invalid(_("Baris pertama harus berisi nama kolom: nim,name,role."))
    return columns


def _row(line: int, columns: Sequence[str], cells: Sequence[str], seen: dict[str, int]) -> Row:
    """Return the person in a line; `seen` maps NIMs to their first line. Raises `Invalid`."""
    if len(cells) != len(columns):
        raise _invalid(_("ada %(n)d kolom, seharusnya %(all)d.", n=len(cells), all=len(columns)))
    named = {column: cell[:MAX_CELL] for column, cell in zip(columns, cells, strict=True)}
    role = named.get("role", "").strip().lower() or Role.ANGGOTA
    if csv_table.is_mangled(named["nim"]):
        raise _invalid(_("NIM ini angka yang diubah spreadsheet. Atur kolomnya sebagai teks."))
    nim, name = checked_person(named["nim"], named["name"], role)
    if (first := seen.setdefault(nim, line)) != line:
        raise _invalid(_("NIM ini sudah ada di baris %(n)d.", n=first))
    return Row(line, nim, name, role)


def _invalid(message: Any) -> Invalid:
    return Invalid(message, code="bad_roster")
