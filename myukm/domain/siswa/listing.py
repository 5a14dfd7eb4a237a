"""The one query behind every list of students: a page of those who match, or all of them."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import defer

from myukm.db.session import in_literals
from myukm.domain.paging import PER_PAGE, Page, page_and_pages
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.matching import Matching
from myukm.extensions import db
from myukm.models import PaymentLoss, Siswa

# Columns of a student that files show.
LISTED = (
    *(Siswa.id, Siswa.idperson, Siswa.nama, Siswa.unit_formal, Siswa.kelas_formal),
    *(Siswa.asrama_pondok, Siswa.kamar_pondok, Siswa.tingkat_diniyah, Siswa.active),
    *(Siswa.status, Siswa.lunas, Siswa.lebih_bayar, Siswa.tidak_cocok, Siswa.synced_at),
)

BY_SUMS = ("tunggakan", "lebih_bayar")


class Line(NamedTuple):
    """A student of a list. The amounts are in sen, over the bills that match the filters; the
    student's `pembayaran` is not loaded."""

    student: Siswa
    tunggakan: int
    lebih_bayar: int
    lunas: bool
    loss: PaymentLoss | None


def page_of(filters: Filters, page: int, per_page: int = PER_PAGE) -> Page[Line]:
    """Return page number `page` (at most the last) of the students that match."""
    matching = Matching(filters)
    total = db.session.scalar(matching.students(func.count())) or 0
    return page_out_of(matching, total, page, per_page)


def page_out_of(matching: Matching, total: int, page: int, per_page: int = PER_PAGE) -> Page[Line]:
    """Return a page of `total` students.

    The page's ids are read first, from an index alone if there is one, and from the nearer end of
    the list. Then only the rows of this page are read, and only their bills are added up.
    """
    page, pages = page_and_pages(page, total, per_page)
    start, stop = (page - 1) * per_page, min(page * per_page, total)
    near_end = start > total // 2
    order = in_order(matching.filters.sort, of_students(matching), backwards=near_end)
    skip = total - stop if near_end else start
    by_sums = matching.bounds_sums or matching.filters.sort in BY_SUMS
    query = matching.select(*figures(matching)) if by_sums else matching.students(Siswa.id)
    query = query.order_by(*order).offset(skip).limit(stop - start)
    rows = db.session.execute(query).all() if total else []
    if not by_sums:
        rows = _added_up(matching, [row[0] for row in rows])
    return Page(lines(matching, rows[::-1] if near_end else rows), page, pages, total)


def figures(matching: Matching) -> tuple[Any, ...]:
    """Return the columns for `lines`: a student's id, and in sen what is owed and overpaid."""
    return Siswa.id, matching.owed, matching.overpaid


def _added_up(matching: Matching, ids: Sequence[int]) -> Sequence[Any]:
    """Return the figures of these students, in this order."""
    found = db.session.execute(matching.figures_of(ids)) if ids else ()
    by_id = {row[0]: row for row in found}
    return [by_id[key] for key in ids]


def all_lines(matching: Matching, portion: int) -> Iterator[list[Line]]:
    """Yield all students that match, in order, in portions; inside one `snapshot()`.

    Their `student` is a row with the columns of `LISTED`, and their `loss` is None.
    """
    order = in_order(matching.filters.sort, of_students(matching))
    query = matching.select(*figures(matching)).order_by(*order)
    found = array("q")  # a tenth of the memory that rows take
    for row in db.session.connection().execute(query):
        found.extend(map(int, row))
    for start in range(0, len(found), 3 * portion):
        numbers = iter(found[start : start + 3 * portion])
        part = list(zip(numbers, numbers, numbers, strict=True))
        students = select(*LISTED).where(in_literals(Siswa.id, [row[0] for row in part]))
        rows = {one.id: one for one in db.session.execute(students)}
        yield _with_figures(matching, part, rows, {})


def lines(matching: Matching, rows: Sequence[Any]) -> list[Line]:
    """Return the lines of a list for rows of `figures`, in their order."""
    ids = [row[0] for row in rows]
    query = select(Siswa).where(Siswa.id.in_(ids)).options(defer(Siswa.pembayaran, raiseload=True))
    students = {one.id: one for one in db.session.scalars(query)}
    lost = select(PaymentLoss).where(PaymentLoss.siswa_id.in_(ids))
    losses = {loss.siswa_id: loss for loss in db.session.scalars(lost)}
    return _with_figures(matching, rows, students, losses)


def _with_figures(
    matching: Matching,
    rows: Sequence[Any],
    students: Mapping[int, Any],
    losses: Mapping[int, PaymentLoss],
) -> list[Line]:
    billed, found = _billed(matching, [row[0] for row in rows]), []
    for key, owed, overpaid in rows:
        paid_up = (key in billed and not owed) if billed is not None else bool(students[key].lunas)
        found.append(Line(students[key], int(owed), int(overpaid), paid_up, losses.get(key)))
    return found


def _billed(matching: Matching, ids: Sequence[int]) -> set[int] | None:
    """Return which students have any of the narrowed bills; None if all bills are added up."""
    if not matching.filters.narrowed:
        return None
    query = select(Siswa.id).where(in_literals(Siswa.id, ids), matching.has_bill())
    return set(db.session.scalars(query))


class Columns(NamedTuple):
    """The columns by which students are sorted, in a table or a part of a query."""

    owed: Any
    overpaid: Any
    synced_at: Any
    name: Any
    id: Any


def of_students(matching: Matching) -> Columns:
    """Return the columns by which the students that match are sorted."""
    person = (Siswa.synced_at, Siswa.search_text, Siswa.id)
    return Columns(matching.owed, matching.overpaid, *person)


def in_order(sort: str, by: Columns, *, backwards: bool = False) -> list[ColumnElement[Any]]:
    """Return the terms of ORDER BY for one of `SORTS`."""
    first: dict[str, list[tuple[Any, bool]]] = {
        "nama": [],
        "tunggakan": [(by.owed, True)],
        "lebih_bayar": [(by.overpaid, True)],
        "berubah": [(case((by.synced_at.is_(None), 0), else_=1), True), (by.synced_at, True)],
    }
    terms = [*first[sort], (by.name, False), (by.id, False)]
    return [one.desc() if descends != backwards else one.asc() for one, descends in terms]
