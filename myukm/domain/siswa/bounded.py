"""Groups and a page of students who match by what some bills add up to.

Adding the bills up is what takes long, so one statement does it once for both.
"""

from typing import Any

from sqlalchemy import CTE, Select, Subquery, func, literal, null, select, union_all

from myukm.domain.paging import Page
from myukm.domain.siswa.filters import BILLS, PLACES
from myukm.domain.siswa.listing import Columns, Line, in_order, lines, page_out_of
from myukm.domain.siswa.matching import Matching
from myukm.domain.siswa.sums import Figures, Group, figures_from, groups_of, in_rank, sum_of
from myukm.extensions import db
from myukm.models import Siswa

GROUP, STUDENT = 0, 1


def applies(matching: Matching) -> bool:
    """Return whether it is quicker to `read` the answer to these filters."""
    return matching.filters.narrowed and matching.bounds_sums


def read(matching: Matching, page: int, per_page: int) -> tuple[Figures, list[Group], Page[Line]]:
    """Return totals, groups and a page (at most the last) of the students that match."""
    rows = db.session.execute(_query(matching, max(1, page), per_page)).all()
    groups = in_rank(Group(row.place, figures_from(row[2:5])) for row in rows if row.kind == GROUP)
    total, group = sum_of(groups), matching.filters.group
    # A bill is no column of a student, so groups of bills are read by themselves.
    shown = groups_of(matching) if group in BILLS else groups if group else []
    pages = max(1, -(-total.siswa // per_page))
    if page > pages:
        return total, shown, page_out_of(matching, total.siswa, page, per_page)
    figures = [tuple(map(int, row[2:5])) for row in rows if row.kind == STUDENT]
    return total, shown, Page(lines(matching, figures), max(1, page), pages, total.siswa)


def _query(matching: Matching, page: int, per_page: int) -> Select[Any]:
    """Return the query of kind, place, and the group's figures or the student's."""
    matched = _matched(matching)
    sort, all_ = matching.filters.sort, matched.c
    amounts = (func.count(), func.sum(all_.owed), func.sum(all_.overpaid), null(), null())
    groups = select(literal(GROUP).label("kind"), all_.place, *amounts).group_by(all_.place)
    figures = (all_.id, all_.owed, all_.overpaid, all_.synced_at, all_.name)
    students = select(literal(STUDENT), all_.place, *figures)
    students = students.order_by(*in_order(sort, _columns(matched)))
    students = students.offset((page - 1) * per_page).limit(per_page)
    names = ("kind", "place", "id", "owed", "overpaid", "synced_at", "name")
    parts = union_all(groups, select(students.subquery("page"))).subquery("parts")
    named = (column.label(name) for column, name in zip(parts.c, names, strict=True))
    both = select(*named).subquery("both")
    return select(both).order_by(both.c.kind, *in_order(sort, _columns(both)))


def _matched(matching: Matching) -> CTE:
    group = matching.filters.group
    place = PLACES[group] if group in PLACES else literal("")
    owed, overpaid = matching.owed.label("owed"), matching.overpaid.label("overpaid")
    about = (Siswa.synced_at, Siswa.search_text.label("name"), place.label("place"))
    return matching.select(Siswa.id, owed, overpaid, *about).cte("matched")


def _columns(part: CTE | Subquery) -> Columns:
    return Columns(*(part.c[name] for name in Columns._fields))
