"""What the matching students owe in all, and by group."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import CTE, Select, func, literal, select, union_all

from myukm.domain.siswa.filters import BILLS, PLACES
from myukm.domain.siswa.matching import OF_SETS, Matching, narrow
from myukm.extensions import db
from myukm.models import BillSet, Siswa, Tagihan
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
    """Return the totals and the groups.

    The amounts of the totals are the sums over the groups, because no bill is in two groups. The
    students are counted by a query, because a student may be in several groups of bills.
    """
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
    figures = [Figures(0, 0, 0), *(group.figures for group in groups)]
    return Figures(*map(sum, zip(*figures, strict=True)))


def groups_from(rows: Iterable[Iterable[Any]]) -> list[Group]:
    """Return the groups, the largest `tunggakan` first.

    Rows are key, students, owed, overpaid; rows with the same key are added up.
    """
    found = defaultdict[str, list[Group]](list)
    for key, *figures in rows:
        found[key].append(Group(key, figures_from(figures)))
    groups = (Group(key, sum_of(parts)) for key, parts in found.items())
    return sorted(groups, key=lambda group: (-group.figures.tunggakan, group.key))


def totals(matching: Matching) -> Figures:
    """Return the sums over all students that match."""
    if matching.bounds_sums or not matching.filters.narrowed:
        query = matching.select(func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
        return figures_from(db.session.execute(query).one())
    count = db.session.scalar(matching.students(func.count()))
    sums = matching.open_bills(func.sum(OWED), func.sum(OVERPAID))
    return figures_from([count, *db.session.execute(sums).one()])


def groups_of(matching: Matching) -> list[Group]:
    """Return the groups, the largest `tunggakan` first. A student is in the group of each of their
    bills."""
    group = matching.filters.group or ""
    if group in BILLS:
        matched = matching.students(Siswa.id, Siswa.bill_set).cte("matched")
        query: Any = union_all(*by_bill(matching, matched, group))
    else:
        sums = (func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
        query = matching.select(PLACES[group], *sums).group_by(PLACES[group])
    return groups_from(db.session.execute(query))


def by_bill(matching: Matching, matched: CTE, group: str) -> tuple[Select[Any], Select[Any]]:
    """Return the queries for what is owed by period or category, and by how many students.

    Students are counted by their sets of bills, because these contain settled bills as well.
    Amounts are sums over open bills. `matched` has `id` and `bill_set` of the students that match.
    """
    key, zero = BILLS[group], literal(0)
    amounts: tuple[Any, ...] = (func.sum(OWED), func.sum(OVERPAID))
    owed = select(key.label("key"), zero, *amounts).group_by(key)
    owed = owed.where(Tagihan.remaining != 0, *narrow(matching.filters, BILLS))
    if matching.conditions():
        owed = _of_students(owed, matched)
    sets = select(matched.c.bill_set, func.count().label("students"))
    of_set = sets.group_by(matched.c.bill_set).subquery("of_set")
    keys = select(BillSet.id, OF_SETS[group].label("key")).where(*narrow(matching.filters, OF_SETS))
    of_key = keys.distinct().subquery("of_key")
    students = select(of_key.c.key, func.sum(of_set.c.students), zero, zero)
    students = students.join(of_set, of_set.c.bill_set == of_key.c.id)
    return owed, students.group_by(of_key.c.key)


def _of_students(bills: Select[Any], matched: CTE) -> Select[Any]:
    """Return the query for the `bills` of these students.

    With IN, SQLite reads the bills in their stored order, which suits its small cache. The other
    databases plan a join better.
    """
    if db.session.get_bind().dialect.name == "sqlite":
        return bills.where(Tagihan.siswa_id.in_(select(matched.c.id)))
    return bills.join(matched, matched.c.id == Tagihan.siswa_id)


def figures_from(row: Iterable[Any]) -> Figures:
    """Return the figures of a row of count and sums. The sum of no rows is None and counts as 0."""
    return Figures(*(int(number or 0) for number in row))
