"""What the students that match owe in all, and by group."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from myukm.domain.siswa.filters import BILLS, PLACES
from myukm.domain.siswa.matching import OF_SETS, Matching, narrow
from myukm.extensions import db
from myukm.models import BillSet, Siswa
from myukm.models.tagihan import OVERPAID, OWED


class Figures(NamedTuple):
    """Sums over students, in sen. `tunggakan` and `lebih_bayar` do not offset each other."""

    siswa: int
    tunggakan: int
    lebih_bayar: int

    @property
    def bersih(self) -> int:
        return self.tunggakan - self.lebih_bayar


class Group(NamedTuple):
    """The students that share `key` (of a unit, a period, …), and what they owe."""

    key: str
    figures: Figures


def totals_and_groups(matching: Matching) -> tuple[Figures, list[Group]]:
    """Return both. A student is in one group of places, and a bill in one group of bills, so what
    the groups owe is owed in all."""
    groups = groups_of(matching) if matching.filters.group else []
    if not groups:
        return totals(matching), groups
    total = sum_of(groups)
    if matching.filters.group in BILLS:
        count = db.session.scalar(matching.students(func.count())) or 0
        total = total._replace(siswa=count)
    return total, groups


def sum_of(groups: Iterable[Group]) -> Figures:
    """Return the sums over groups that share no student."""
    figures = [Figures(0, 0, 0), *(one.figures for one in groups)]
    return Figures(*map(sum, zip(*figures, strict=True)))


def in_rank(groups: Iterable[Group]) -> list[Group]:
    """Return the groups, those that owe most first."""
    return sorted(groups, key=lambda one: (-one.figures.tunggakan, one.key))


def totals(matching: Matching) -> Figures:
    """Return the sums over all students that match."""
    if matching.bounds_sums or not matching.filters.narrowed:
        query = matching.select(func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
        return figures_from(db.session.execute(query).one())
    count = db.session.scalar(matching.students(func.count()))
    sums = matching.open_bills(func.sum(OWED), func.sum(OVERPAID))
    return figures_from([count, *db.session.execute(sums).one()])


def groups_of(matching: Matching) -> list[Group]:
    """Return the groups, those that owe most first. A student is in each group where bills are."""
    group = matching.filters.group or ""
    groups = _by_bill(matching, group) if group in BILLS else _by_place(matching, PLACES[group])
    return in_rank(groups)


def _by_place(matching: Matching, place: Any) -> list[Group]:
    sums = (func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
    rows = db.session.execute(matching.select(place, *sums).group_by(place))
    return [Group(key, figures_from(figures)) for key, *figures in rows]


def _by_bill(matching: Matching, group: str) -> list[Group]:
    """Count by the sets of bills, in which settled bills are as well; add up the open ones."""
    sums = matching.open_bills(BILLS[group], func.sum(OWED), func.sum(OVERPAID))
    rows = db.session.execute(sums.group_by(BILLS[group]))
    owed = {key: amounts for key, *amounts in rows}
    counts = db.session.execute(_students_of(matching, OF_SETS[group]))
    return [Group(key, figures_from([count, *owed.get(key, (0, 0))])) for key, count in counts]


def _students_of(matching: Matching, column: Any) -> Select[Any]:
    """Return the query for how many students have a bill in each period or category."""
    each = matching.students(Siswa.bill_set, func.count().label("students"))
    each_set = each.group_by(Siswa.bill_set).subquery("of_set")
    keys = select(BillSet.id, column.label("key")).where(*narrow(matching.filters, OF_SETS))
    keys_of_set = keys.distinct().subquery("keys_of_set")
    query = select(keys_of_set.c.key, func.sum(each_set.c.students))
    query = query.join(each_set, each_set.c.bill_set == keys_of_set.c.id)
    return query.group_by(keys_of_set.c.key)


def figures_from(row: Iterable[Any]) -> Figures:
    """Return the figures of a row of count and sums, which are None over nothing."""
    return Figures(*(int(number or 0) for number in row))
