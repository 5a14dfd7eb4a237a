"""Files with what the filters show: CSV and XLSX.

Rows are read in portions and written as they come, so memory holds ids and amounts, but no list.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from sqlalchemy import select

from myukm.db.session import snapshot
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import csv_output
from myukm.domain.siswa import owing
from myukm.domain.siswa.filter_labels import NAMES, chosen, text_of
from myukm.domain.siswa.filters import Filters, rupiah
from myukm.domain.siswa.listing import Figures, Line, Matching, all_lines
from myukm.domain.siswa.verdict_labels import describe
from myukm.domain.xlsx_output import Book, Column, Money
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import Tagihan

COLUMNS = (
    *("idperson", "nama", "unit", "kelas", "asrama", "kamar", "diniyah"),
    *("tunggakan", "lebih_bayar", "bersih", "lunas", "tidak_cocok", "synced_at"),
)
PLACED = ("unit", "kelas", "asrama", "kamar", "diniyah")
PORTION = 500
MAX_STUDENTS = 5_000  # of a download
BILLS = ("period_id", "kelas", "category", "item", "billed", "paid", "remaining")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def check_size(filters: Filters) -> None:
    """Raise `Invalid` if so many students match that a request would keep others waiting."""
    count = owing.totals(Matching(filters)).siswa
    if count > MAX_STUDENTS:
        text = _(
            "%(n)s siswa terlalu banyak untuk sekali unduh (paling banyak %(max)s). Persempit "
            "saringannya, atau minta operator menjalankan: flask tunggakan --xlsx BERKAS",
            n=format_decimal(count),
            max=format_decimal(MAX_STUDENTS),
        )
        raise Invalid(text, code="too_many_students")


def write_csv(filters: Filters, file: IO[bytes]) -> None:
    """Write the students that match as CSV; amounts are decimal digits, times ISO 8601."""
    with snapshot():
        lines = (line for part in all_lines(Matching(filters), PORTION) for line in part)
        for text in csv_output.to_csv(COLUMNS, map(_csv_row, lines)):
            file.write(text.encode())


def _csv_row(line: Line) -> tuple[Any, ...]:
    student = line.student
    flags = [str(flag).lower() for flag in (line.lunas, student.tidak_cocok)]
    return (*_names(line), *map(rupiah, _amounts(line)), *flags, to_iso8601(student.synced_at))


def _names(line: Line) -> tuple[str, ...]:
    one = line.student
    place = (one.unit_formal, one.kelas_formal, one.asrama_pondok, one.kamar_pondok)
    return (one.idperson, one.nama, *place, one.tingkat_diniyah)


def _amounts(line: Line) -> tuple[int, int, int]:
    return line.tunggakan, line.lebih_bayar, line.tunggakan - line.lebih_bayar


def write_xlsx(filters: Filters, file: IO[bytes]) -> None:
    """Write the students that match, their bills, the groups, and what was asked for, as XLSX."""
    matching, zone = Matching(filters), campus_timezone()
    with snapshot(), Book(file, zone) as book:
        as_of, total = utcnow(), owing.totals(matching)
        students, bills = (
            book.add(_("Siswa"), _of_students()),
            book.add(_("Tagihan"), _of_bills()),
        )
        for part in all_lines(matching, PORTION):
            for line in part:
                students.write(_xlsx_row(line))
            for row in _bills_of(matching, part):
                bills.write(row)
        if filters.group:
            groups = book.add(_("Kelompok"), _of_groups(filters.group))
            for group in owing.groups_of(matching):
                groups.write((text_of(filters.group, group.key), *_figures(group.figures)))
        about = book.add(_("Keterangan"), [Column(_("Keterangan"), 28), Column("", 40)])
        for pair in _about(filters, as_of, total):
            about.write(pair)


def _of_students() -> list[Column]:
    names = [Column("ID", 12), Column(_("Nama"), 32), *(Column(str(NAMES[n]), 16) for n in PLACED)]
    amounts = [Column(title, 16) for title in (_("Tunggakan"), _("Lebih bayar"), _("Bersih"))]
    return [*names, *amounts, Column(_("Status"), 24), Column(_("Disinkronkan"), 20)]


def _of_bills() -> list[Column]:
    names = (Column("ID", 12), Column(_("Nama"), 32), Column(_("Periode"), 12))
    bill = (Column(_("Kelas"), 14), Column(_("Jenis tagihan"), 20), Column(_("Tagihan"), 32))
    amounts = (Column(title, 16) for title in (_("Jumlah"), _("Dibayar"), _("Sisa")))
    return [*names, *bill, *amounts]


def _of_groups(group: str) -> list[Column]:
    amounts = (Column(title, 18) for title in (_("Tunggakan"), _("Lebih bayar"), _("Bersih")))
    return [Column(str(NAMES[group]), 28), Column(_("Siswa"), 10), *amounts]


def _xlsx_row(line: Line) -> tuple[Any, ...]:
    amounts = (Money(amount) for amount in _amounts(line))
    return (*_names(line), *amounts, describe(line.student), line.student.synced_at)


def _figures(figures: Figures) -> tuple[Any, ...]:
    amounts = (figures.tunggakan, figures.lebih_bayar, figures.bersih)
    return (figures.siswa, *map(Money, amounts))


def _bills_of(matching: Matching, lines: Sequence[Line]) -> Iterator[tuple[Any, ...]]:
    people = {line.student.id: line.student for line in lines}
    columns = (Tagihan.siswa_id, *(getattr(Tagihan, name) for name in BILLS))
    query = select(*columns).where(Tagihan.siswa_id.in_(people), *matching.narrowed)
    found: dict[int, list[Any]] = {}
    for key, *bill in db.session.execute(query.order_by(Tagihan.siswa_id, Tagihan.position)):
        found.setdefault(key, []).append(bill)
    for key, student in people.items():
        for *names, billed, paid, rest in found.get(key, ()):
            amounts = map(Money, (billed, paid, rest))
            yield (student.idperson, student.nama, *names, *amounts)


def _about(filters: Filters, as_of: datetime, total: Figures) -> Iterator[tuple[Any, ...]]:
    yield _("Per"), format_datetime(as_of, _("d MMM y HH.mm"))
    for one in chosen(filters):
        yield one.label, one.text
    yield _("Siswa"), total.siswa
    yield _("Tunggakan"), Money(total.tunggakan)
    yield _("Lebih bayar"), Money(total.lebih_bayar)
    yield _("Bersih"), Money(total.bersih)
