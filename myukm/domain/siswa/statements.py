"""A student's statement for paper: the student, all bills by period, what is owed in all."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from myukm.cooperative import cooperatively
from myukm.db.session import in_literals, snapshot
from myukm.domain.siswa import bills
from myukm.domain.siswa.bills import Bills
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing import all_lines
from myukm.domain.siswa.listing_files import check_size
from myukm.domain.siswa.matching import Matching
from myukm.extensions import db
from myukm.models import Siswa

MAX_AT_ONCE = 500  # some 1,500 sheets
PORTION = 20


class Statement(NamedTuple):
    """A student with their bills; `tunggakan` and `lebih_bayar` in sen, None before a sync."""

    student: Siswa
    bills: Bills
    tunggakan: int | None
    lebih_bayar: int | None


def of(student: Siswa) -> Statement:
    """Return the statement of a student."""
    amounts = (_sen(student.tunggakan), _sen(student.lebih_bayar))
    return Statement(student, bills.of(student), *amounts)


def of_matching(filters: Filters) -> list[Statement]:
    """Return the statements of all students that match, in the order of the list.

    Raises `Invalid` if they are more than `MAX_AT_ONCE`.
    """
    check_size(filters, MAX_AT_ONCE)
    with snapshot():
        return [of(student) for student in cooperatively(_students(filters))]


def _students(filters: Filters) -> Iterator[Siswa]:
    for part in all_lines(Matching(filters), PORTION):
        ids = [line.student.id for line in part]
        found = db.session.scalars(select(Siswa).where(in_literals(Siswa.id, ids)))
        students = {student.id: student for student in found}
        yield from (students[key] for key in ids)


def _sen(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)
