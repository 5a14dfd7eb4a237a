"""Reads the rows of a CSV or XLSX file, each with its line number."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, BinaryIO

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.domain import csv_table, xlsx_safety, xlsx_table
from myukm.domain.csv_table import LineReader, Sheet, bad_line, heading
from myukm.domain.roster.reader import RawRow
from myukm.domain.siswa.fields import REQUIRED, column_of
from myukm.domain.xlsx_table import Kind, TypedCell
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import Siswa

# Columns with digits as text: leading zeros get lost when a spreadsheet stores them as numbers.
DIGITS, DATES = ("idperson", "phone", "nim"), ("lahirtanggal",)
EXACT_DIGITS = 15  # a spreadsheet rounds longer numbers


def rows(file: BinaryIO, *, with_nim: bool = False) -> Iterator[RawRow]:
    """Yield every row that is not blank, also wrong rows; unknown columns are left out.

    `file` is seekable. The column `nim`, which links accounts, is read only `with_nim`.

    Raises `Invalid` if the file is unusable, with the number of the line that is the cause, if any.
    """
    sheet = _sheet(file)
    columns, unique_ids = _columns(sheet.header, sheet.line, with_nim=with_nim), cache(_unique_ids)
    for line, cells in sheet.rows:
        raw = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        if len(cells) != len(columns):
            reason = _("ada %(n)d kolom, seharusnya %(all)d.", n=len(cells), all=len(columns))
            yield RawRow(line, {}, reason)
            continue
        typed = {name: cell for name, cell in raw.items() if isinstance(cell, TypedCell)}
        if _is_number(typed.get("idperson")):
            if raw["idperson"] in unique_ids():
                typed.pop("idperson")
            else:
                raw.pop("idperson")
        yield RawRow(line, raw, next(filter(None, map(_spoiled, typed.items())), None))


def kind_of(file: BinaryIO) -> str:
    """Return "XLSX" or "CSV" by the file's first bytes, and seek to its beginning.

    Raises `Invalid` for an empty file.
    """
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    if not start:
        raise Invalid(_("Berkas ini kosong (0 byte)."), code="empty_file")
    return "XLSX" if xlsx_safety.is_zip(start) else "CSV"


def _sheet(file: BinaryIO) -> Sheet:
    if kind_of(file) == "XLSX":
        return xlsx_table.read(file, lambda cells: not _missing(map(column_of, cells)))
    return csv_table.read(LineReader(file), lambda cell: column_of(cell) is not None)


def _missing(columns: Iterator[str | None]) -> list[str]:
    known = set(columns)
    return [name for name in REQUIRED if name not in known]


def _columns(header: Sequence[str], line: int, *, with_nim: bool) -> list[str | None]:
    """Return our column for each heading, None for unknown ones."""
    own = {"nim": "nim"} if with_nim else {}
    columns = [column_of(name) or own.get(heading(name)) for name in header]
    known = [name for name in columns if name]
    missing = _missing(iter(columns))
    doubled = [name for name in known if known.count(name) > 1]
    if missing:
        raise bad_line(line, _("kolom %(names)s tidak ada.", names=", ".join(missing)))
    if doubled:
        raise bad_line(line, _("kolom %(names)s ada dua kali.", names=doubled[0]))
    return columns


def _is_number(cell: str | None) -> bool:
    return isinstance(cell, TypedCell) and cell.kind == Kind.NUMBER


def _unique_ids() -> frozenset[str]:
    """Return the stored ids that are unique without their leading zeros.

    A number in a cell may have lost its leading zeros. If it equals one of these ids, it can mean
    no other student.
    """
    ids = [
        idperson for idperson in db.session.scalars(select(Siswa.idperson)) if idperson.isdigit()
    ]
    alike = Counter(idperson.lstrip("0") for idperson in ids)
    return frozenset(
        idperson
        for idperson in ids
        if alike[idperson.lstrip("0")] == 1 and len(idperson) <= EXACT_DIGITS
    )


def _spoiled(typed: tuple[str, TypedCell]) -> Any:
    """Return why a cell's value may differ from what a person typed, None if it is reliable."""
    column, cell = typed
    about: Mapping[str, str] = {"field": column, "value": str(cell)}
    if cell.kind == Kind.NUMBER and column in DIGITS:
        return _(
            "%(field)s %(value)s tersimpan sebagai angka, jadi nol di depannya bisa hilang. "
            "Atur kolomnya sebagai teks dan ketik ulang.",
            **about,
        )
    if cell.kind == Kind.DATE and column not in DATES:
        return _(
            "%(field)s tersimpan sebagai tanggal (%(value)s). Atur kolomnya sebagai teks.", **about
        )
    if cell.kind in (Kind.ERROR, Kind.TRUTH):
        return _("%(field)s berisi %(value)s, bukan teks.", **about)
    return None
