"""CSV and XLSX files of the students that match the filters.

Rows are read and written in portions, so memory holds the ids and amounts of all students, but the
rows of one portion only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from typing import IO, Any

from flask import current_app
from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from sqlalchemy import select

from myukm.db.session import in_literals, snapshot
from myukm.db.timeouts import lift_time_limits
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import csv_output
from myukm.domain.payment_api.bill_rows import rupiah
from myukm.domain.siswa import sheet_columns as columns
from myukm.domain.siswa import sums
from myukm.domain.siswa.filter_labels import chosen, text_of
from myukm.domain.siswa.filters import BILLS as OF_BILLS
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing import Line, all_lines
from myukm.domain.siswa.matching import Matching, narrow
from myukm.domain.siswa.sums import Figures
from myukm.domain.siswa.verdict_labels import verdict_text
from myukm.domain.xlsx_output import MAX_CACHED_CELLS, Book, Column, Money, text
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import Tagihan
from myukm.models.siswa import Verdict

COLUMNS = (
    *("idperson", "nama", "unit", "kelas", "asrama", "kamar", "diniyah"),
    *("tunggakan", "lebih_bayar", "bersih", "lunas", "tidak_cocok", "synced_at"),
)
PORTION = 100  # students; with their bills, some 20 MB at a time
MAX_STUDENTS = 5_000  # of a file that a request writes; larger files are written by a job
BILLS = ("period_id", "kelas", "category", "item", "billed", "paid", "remaining")
Progress = Callable[[int], object]


def count(filters: Filters) -> int:
    """Return how many students match."""
    return sums.totals(Matching(filters)).siswa


def check_size(filters: Filters, most: int) -> None:
    """Raise `Invalid` if more than `most` students match, which is too many to print at once."""
    found = count(filters)
    if found > most:
        message = _(
            "%(n)s siswa terlalu banyak untuk sekali cetak (paling banyak %(max)s). Persempit "
            "saringannya, misalnya ke satu kelas, atau unduh daftarnya sebagai XLSX atau CSV.",
            n=format_decimal(found),
            max=format_decimal(most),
        )
        raise Invalid(message, code="too_many_students")


def write_csv(
    filters: Filters, file: IO[bytes], progress: Progress = int, *, limited: bool = False
) -> None:
    """Write the students that match as CSV; amounts are decimal digits, times ISO 8601.

    `progress` is called with the number of students written so far. `limited` is for requests: the
    database's time limits hold. Then an error for which `is_unavailable` is true may be raised.
    """
    with _snapshot(limited=limited):
        parts = _counted(all_lines(Matching(filters), PORTION), progress)
        lines = (line for part in parts for line in part)
        rows = map(_csv_row, lines)
        file.writelines(row.encode() for row in csv_output.to_csv(COLUMNS, rows))


@contextmanager
def _snapshot(*, limited: bool) -> Iterator[None]:
    """Run the block in one `snapshot()`; if not `limited`, the database does not end it while a
    file is written."""
    with snapshot() as session:
        if not limited:
            lift_time_limits(session.connection())
        yield


def _counted(parts: Iterator[list[Line]], progress: Progress) -> Iterator[list[Line]]:
    """Yield each part; call `progress` once it is written."""
    done = 0
    for part in parts:
        yield part
        done += len(part)
        progress(done)


def _csv_row(line: Line) -> tuple[Any, ...]:
    student = line.student
    flags = [str(flag).lower() for flag in (line.lunas, student.tidak_cocok)]
    return (*_names(line), *map(rupiah, _amounts(line)), *flags, to_iso8601(student.synced_at))


def _names(line: Line) -> tuple[str, ...]:
    student = line.student
    school = (student.unit_formal, student.kelas_formal)
    dormitory = (student.asrama_pondok, student.kamar_pondok)
    return (student.idperson, student.nama, *school, *dormitory, student.tingkat_diniyah)


def _amounts(line: Line) -> tuple[int, int, int]:
    return line.tunggakan, line.lebih_bayar, line.tunggakan - line.lebih_bayar


def write_xlsx(
    filters: Filters, file: IO[bytes], progress: Progress = int, *, limited: bool = False
) -> None:
    """Write the students that match, their bills, the groups, and the filters, as XLSX.

    `progress` and `limited` as for `write_csv`.
    """
    matching, zone = Matching(filters), campus_timezone()
    verdict = cache(verdict_text)  # for this file only, because each file has its reader's language
    # The snapshot ends before the book does, because packing the book needs no database.
    with Book(file, zone, _heading(filters)) as book, _snapshot(limited=limited):
        as_of, total = utcnow(), sums.totals(matching)
        students, bills = (
            book.add(_("Siswa"), columns.of_students()),
            book.add(_("Tagihan"), columns.of_bills()),
        )
        for part in _counted(all_lines(matching, PORTION), progress):
            rows = (_xlsx_row(line, verdict, narrowed=filters.narrowed) for line in part)
            students.write_cells([tuple(map(book.cell, row)) for row in rows])
            bills.write_cells(list(_bills_of(matching, part, book)))
        if filters.group:
            groups = book.add(_("Kelompok"), columns.of_groups(filters.group))
            for group in sums.groups_of(matching):
                groups.write((text_of(filters.group, group.key), *_figures(group.figures)))
        about = book.add(_("Keterangan"), [Column(_("Keterangan"), 28), Column("", 40)])
        for pair in _about(filters, as_of, total):
            about.write(pair)


def _xlsx_row(
    line: Line, verdict: Callable[[str, bool, bool], str], *, narrowed: bool
) -> tuple[Any, ...]:
    amounts, student = (Money(amount) for amount in _amounts(line)), line.student
    status = verdict(_status(line, narrowed), student.tidak_cocok, student.active)
    return (*_names(line), *amounts, status, student.synced_at)


def _status(line: Line, narrowed: bool) -> str:
    """Return the student's status; if the filters name bills (`narrowed`), over those bills alone.

    A student owes if any of them is open. `Matching` filters by the same rule.
    """
    status = line.student.status
    if not narrowed or status == Verdict.BELUM_SINKRON:
        return status
    if line.tunggakan:
        return Verdict.TUNGGAKAN
    return Verdict.LUNAS if line.lunas else Verdict.TANPA_TAGIHAN


def _figures(figures: Figures) -> tuple[Any, ...]:
    amounts = (figures.tunggakan, figures.lebih_bayar, figures.bersih)
    return (figures.siswa, *map(Money, amounts))


def _bills_of(matching: Matching, lines: list[Line], book: Book) -> Iterator[tuple[str, ...]]:
    """Yield the bills of these students as rows of cells, a student's bills one after another."""
    columns = (Tagihan.siswa_id, *(getattr(Tagihan, name) for name in BILLS))
    query = select(*columns).where(
        in_literals(Tagihan.siswa_id, [line.student.id for line in lines]),
        *narrow(matching.filters, OF_BILLS),
    )
    found = defaultdict[int, list[Any]](list)
    # Read by the connection, because the session takes a third longer for each of millions of rows.
    rows = db.session.connection().execute(query.order_by(Tagihan.siswa_id, Tagihan.position))
    for row in rows:
        found[row[0]].append(row)
    for line in lines:
        key, name = text(line.student.idperson), text(line.student.nama)
        for _id, period, kelas, category, item, billed, paid, rest in found[line.student.id]:
            names = _bill_names(period, kelas, category, item)
            amounts = (book.amount(billed), book.amount(paid), book.amount(rest))
            yield (key, name, *names, *amounts)


@lru_cache(MAX_CACHED_CELLS)
def _bill_names(*names: str) -> tuple[str, ...]:
    """Return the cells of a bill's names; cached, because many bills have the same names."""
    return tuple(map(text, names))


def _heading(filters: Filters) -> str:
    """Return the heading of each printed page: the school, the time, and the filters in use."""
    school = current_app.config["SCHOOL_NAME"] or "MyUKM"
    texts = (f"{filter_.label}: {filter_.text}" for filter_ in chosen(filters))
    return " · ".join((school, format_datetime(utcnow(), _("d MMM y HH.mm")), *texts))


def _about(filters: Filters, as_of: datetime, total: Figures) -> Iterator[tuple[Any, ...]]:
    yield _("Per"), format_datetime(as_of, _("d MMM y HH.mm"))
    for filter_ in chosen(filters):
        yield filter_.label, filter_.text
    yield _("Siswa"), total.siswa
    yield _("Tunggakan"), Money(total.tunggakan)
    yield _("Lebih bayar"), Money(total.lebih_bayar)
    yield _("Bersih"), Money(total.bersih)
