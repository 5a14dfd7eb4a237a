"""Totals, groups and a page of students, for filters with a minimum or maximum of the amount owed
or overpaid.

Adding up the bills takes long, so one statement adds them up once for totals, groups and page.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CTE, Row, Select, Subquery, func, literal, null, select, union_all

from myukm.domain.paging import Page, page_and_pages
from myukm.domain.siswa.filters import BILLS, PLACES
from myukm.domain.siswa.listing import Columns, Line, in_order, lines, page_out_of
from myukm.domain.siswa.matching import Matching
from myukm.domain.siswa.sums import Figures, Group, by_bill, groups_from, sum_of
from myukm.extensions import db
from myukm.models import Siswa

# The kinds of rows: the sums of a place, the sums of a period or category, a student of the page.
PLACE, BILL, STUDENT = 0, 1, 2
MAX_PAGES = 10**9  # the databases accept no OFFSET that is much larger


def applies(matching: Matching) -> bool:
    """Return whether `read` is quicker for these filters."""
    filters = matching.filters
    return matching.bounds_sums and (filters.narrowed or filters.group in BILLS)


def read(matching: Matching, page: int, per_page: int) -> tuple[Figures, list[Group], Page[Line]]:
    """Return totals, groups and a page (at most the last) of the students that match."""
    rows = db.session.execute(_query(matching, max(1, page), per_page)).all()
    places, group = _groups(rows, PLACE), matching.filters.group
    total, shown = sum_of(places), places if group in PLACES else _groups(rows, BILL)
    wanted, (page, pages) = page, page_and_pages(page, total.siswa, per_page)
    if wanted > pages:
        return total, shown, page_out_of(matching, total.siswa, page, per_page)
    # Columns 2 to 4: id, owed and overpaid of a student; students, owed and overpaid of a group.
    figures = [tuple(map(int, row[2:5])) for row in rows if row.kind == STUDENT]
    return total, shown, Page(lines(matching, figures), page, pages, total.siswa)


def _groups(rows: Iterable[Row[Any]], kind: int) -> list[Group]:
    return groups_from((row.key, *row[2:5]) for row in rows if row.kind == kind)


def _query(matching: Matching, page: int, per_page: int) -> Select[Any]:
    """Return the query for rows of kind, key, and the figures of a group or a student."""
    matched, sort = _matched(matching), matching.filters.sort
    # The students come first, because PostgreSQL takes the column types of the union from them.
    group = matching.filters.group
    totals = _totals(matched, by_place=group in PLACES)
    selects = [_page(matched, sort, min(page, MAX_PAGES), per_page), totals]
    if group in BILLS:
        found = union_all(*by_bill(matching, matched, group)).subquery("by_bill")
        selects.append(select(literal(BILL), found, null(), null()))
    parts = union_all(*selects).subquery("parts")
    names = ("kind", "key", "id", "owed", "overpaid", "synced_at", "name")
    named = (column.label(name) for column, name in zip(parts.c, names, strict=True))
    all_ = select(*named).subquery("all_parts")
    return select(all_).order_by(all_.c.kind, *in_order(sort, _columns(all_)))


def _matched(matching: Matching) -> CTE:
    group = matching.filters.group
    place = PLACES[group] if group in PLACES else literal("")
    owed, overpaid = matching.owed.label("owed"), matching.overpaid.label("overpaid")
    about = (Siswa.synced_at, Siswa.search_text.label("name"), Siswa.bill_set, place.label("place"))
    return matching.select(Siswa.id, owed, overpaid, *about).cte("matched")


def _page(matched: CTE, sort: str, page: int, per_page: int) -> Select[Any]:
    one = matched.c
    figures = (one.id, one.owed, one.overpaid, one.synced_at, one.name)
    students = select(literal(STUDENT), one.place, *figures)
    students = students.order_by(*in_order(sort, _columns(matched)))
    students = students.offset((page - 1) * per_page).limit(per_page)
    return select(students.subquery("page"))


def _totals(matched: CTE, *, by_place: bool) -> Select[Any]:
    one = matched.c
    place = one.place if by_place else literal("")
    sums = (func.count(), func.sum(one.owed), func.sum(one.overpaid))
    query = select(literal(PLACE), place, *sums, null(), null())
    return query.group_by(place) if by_place else query


def _columns(part: CTE | Subquery) -> Columns:
    return Columns(*(part.c[name] for name in Columns._fields))
