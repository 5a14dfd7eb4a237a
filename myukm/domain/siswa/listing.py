"""The one query behind every list of students: who matches, what they owe, a page of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import defer

from myukm.domain.paging import PER_PAGE, Page
from myukm.domain.siswa.filters import BILLS, PLACES, Filters
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import PaymentLoss, Siswa, SyncItem, SyncRun, Tagihan
from myukm.models.siswa import SEARCH_LENGTH, Verdict, fold
from myukm.models.sync import ItemStatus

MAX_WORDS = 8
OWED = case((Tagihan.remaining > 0, Tagihan.remaining), else_=0)
OVERPAID = case((Tagihan.remaining < 0, -Tagihan.remaining), else_=0)
Condition = ColumnElement[bool]


class Figures(NamedTuple):
    """Sums over students, in sen. `tunggakan` and `lebih_bayar` do not offset each other."""

    siswa: int
    tunggakan: int
    lebih_bayar: int

    @property
    def bersih(self) -> int:
        return self.tunggakan - self.lebih_bayar


class Line(NamedTuple):
    """A student of a list, with what the filters add up, in sen; no payments."""

    student: Siswa
    tunggakan: int
    lebih_bayar: int
    lunas: bool
    loss: PaymentLoss | None


class Matching:
    """The students that match `filters`, as parts of queries."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.narrowed = narrow(filters)
        self._sums = self._sums_of_bills() if filters.narrowed else None
        if self._sums is None:
            self.owed, self.overpaid = _sen(Siswa.tunggakan), _sen(Siswa.lebih_bayar)
        else:
            self.owed = func.coalesce(self._sums.c.owed, 0)
            self.overpaid = func.coalesce(self._sums.c.overpaid, 0)

    def select(self, *columns: Any) -> Select[Any]:
        """Return the query for `columns` of the students that match."""
        return self.restrict(select(*columns).select_from(Siswa))

    def restrict(self, query: Select[Any]) -> Select[Any]:
        """Restrict a query that has the table of students to those that match."""
        if self._sums is not None:
            query = query.outerjoin(self._sums, self._sums.c.siswa_id == Siswa.id)
        return query.where(*self._conditions())

    def _sums_of_bills(self) -> FromClause:
        query = select(
            Tagihan.siswa_id,
            func.sum(OWED).label("owed"),
            func.sum(OVERPAID).label("overpaid"),
            func.count().label("bills"),
        ).where(*self.narrowed)
        # Only the few open bills are read, by their own index, unless the settled ones count.
        if not self._needs_settled():
            query = query.where(Tagihan.remaining != 0)
        return query.group_by(Tagihan.siswa_id).subquery("sums")

    def _needs_settled(self) -> bool:
        return not {*self.filters.status, *self.filters.filter}.isdisjoint(
            ("lunas", "tanpa_tagihan")
        )

    def _conditions(self) -> list[Condition]:
        wanted, found = self.filters, _about_student(self.filters)
        if wanted.min is not None:
            found.append(self.owed >= wanted.min)
        if wanted.max is not None:
            found.append(self.owed <= wanted.max)
        if wanted.status:
            found.append(or_(*(self.mark(name) for name in wanted.status)))
        return found + [self.mark(name) for name in wanted.filter]

    def mark(self, name: str) -> Condition:
        """Return the condition that a status or filter of this name means."""
        marks = {
            "belum_sinkron": Siswa.status == Verdict.BELUM_SINKRON,
            "tidak_cocok": Siswa.tidak_cocok.is_(True),
            "dibayar_turun": _lost(PaymentLoss.paid_after < PaymentLoss.paid_before),
            "tagihan_hilang": _lost(PaymentLoss.vanished > 0),
            "gagal": _failed_in_the_last_run(),
            "aktif": Siswa.active.is_(True),
            "nonaktif": Siswa.active.is_(False),
            **(self._verdicts() if self._sums is None else self._narrowed_verdicts(self._sums)),
        }
        return marks["tunggakan" if name == "belum" else name]

    def _verdicts(self) -> dict[str, Condition]:
        return {
            "tunggakan": Siswa.status == Verdict.TUNGGAKAN,
            "lunas": Siswa.status == Verdict.LUNAS,
            "tanpa_tagihan": Siswa.status == Verdict.TANPA_TAGIHAN,
            "lebih_bayar": Siswa.lebih_bayar > 0,
        }

    def _narrowed_verdicts(self, sums: FromClause) -> dict[str, Condition]:
        return {
            "tunggakan": sums.c.owed > 0,
            "lunas": and_(sums.c.bills > 0, sums.c.owed == 0),
            "tanpa_tagihan": and_(
                Siswa.status != Verdict.BELUM_SINKRON, func.coalesce(sums.c.bills, 0) == 0
            ),
            "lebih_bayar": sums.c.overpaid > 0,
        }


def narrow(filters: Filters) -> list[Condition]:
    """Return the conditions on the bills that are added up."""
    return [
        column.in_(names) for name, column in BILLS.items() if (names := getattr(filters, name))
    ]


def page_of(filters: Filters, page: int, per_page: int = PER_PAGE) -> Page[Line]:
    """Return page number `page` (at most the last) of the students that match."""
    matching = Matching(filters)
    total = db.session.scalar(matching.select(func.count())) or 0
    return page_out_of(matching, total, page, per_page)


def page_out_of(matching: Matching, total: int, page: int, per_page: int = PER_PAGE) -> Page[Line]:
    """Return a page of `total` students.

    Their ids are found first, from an index alone where there is one and counted from the nearer
    end; then only the rows of this page are read.
    """
    pages = max(1, -(-total // per_page))
    page = min(max(1, page), pages)
    start, stop = (page - 1) * per_page, min(page * per_page, total)
    near_end = start > total // 2
    order = [
        one.desc() if descends != near_end else one.asc() for one, descends in _order(matching)
    ]
    skip = total - stop if near_end else start
    query = matching.select(Siswa.id, matching.owed, matching.overpaid).order_by(*order)
    rows = db.session.execute(query.offset(skip).limit(stop - start)).all() if total else []
    return Page(_lines(matching, rows[::-1] if near_end else rows), page, pages, total)


def all_lines(matching: Matching, portion: int) -> Iterator[list[Line]]:
    """Yield all students that match, in order, in portions; inside one `snapshot()`."""
    order = [one.desc() if descends else one.asc() for one, descends in _order(matching)]
    query = matching.select(Siswa.id, matching.owed, matching.overpaid).order_by(*order)
    rows = db.session.execute(query).all()
    for start in range(0, len(rows), portion):
        yield _lines(matching, rows[start : start + portion])


def _lines(matching: Matching, rows: Sequence[Any]) -> list[Line]:
    ids = [row[0] for row in rows]
    query = select(Siswa).where(Siswa.id.in_(ids)).options(defer(Siswa.pembayaran, raiseload=True))
    students = {one.id: one for one in db.session.scalars(query)}
    billed = _billed(matching, ids)
    lost = select(PaymentLoss).where(PaymentLoss.siswa_id.in_(ids))
    losses = {loss.siswa_id: loss for loss in db.session.scalars(lost)}
    found = []
    for key, owed, overpaid in rows:
        paid_up = (key in billed and not owed) if billed is not None else bool(students[key].lunas)
        found.append(Line(students[key], int(owed), int(overpaid), paid_up, losses.get(key)))
    return found


def _billed(matching: Matching, ids: Sequence[int]) -> set[int] | None:
    """Return which students have any of the narrowed bills; None if all bills are added up."""
    if not matching.narrowed:
        return None
    query = select(Tagihan.siswa_id).where(Tagihan.siswa_id.in_(ids), *matching.narrowed)
    return set(db.session.scalars(query.distinct()))


def _order(matching: Matching) -> list[tuple[ColumnElement[Any], bool]]:
    """Return the columns to sort by, each with whether it descends."""
    first: dict[str, list[tuple[Any, bool]]] = {
        "nama": [],
        "tunggakan": [(matching.owed, True)],
        "lebih_bayar": [(matching.overpaid, True)],
        "berubah": [(case((Siswa.synced_at.is_(None), 0), else_=1), True), (Siswa.synced_at, True)],
    }
    return [*first[matching.filters.sort], (Siswa.search_text, False), (Siswa.id, False)]


def _about_student(wanted: Filters) -> list[Condition]:
    found: list[Condition] = [
        column.in_(names) for name, column in PLACES.items() if (names := getattr(wanted, name))
    ]
    if wanted.since:
        zone = campus_timezone()
        found.append(Siswa.synced_at >= datetime.combine(wanted.since, time(), zone))
    return found + [_contains(word) for word in fold(wanted.q).split()[:MAX_WORDS]]


def _contains(word: str) -> Condition:
    if len(word) > SEARCH_LENGTH:
        return false()
    return Siswa.search_text.contains(word, autoescape=True)


def _failed_in_the_last_run() -> Condition:
    last = select(func.max(SyncRun.id)).where(SyncRun.dry_run.is_(False)).scalar_subquery()
    failed = (SyncItem.run_id == last, SyncItem.status == ItemStatus.FAILED)
    return Siswa.idperson.in_(select(SyncItem.idperson).where(*failed))


def _lost(condition: Condition) -> Condition:
    return Siswa.id.in_(select(PaymentLoss.siswa_id).where(condition))


def _sen(column: Any) -> ColumnElement[int]:
    """Return a column in rupiah as whole sen, 0 before the first sync."""
    whole = sql_cast(func.round(type_coerce(column, Numeric(20, 2)) * 100), BigInteger)
    return cast(ColumnElement[int], func.coalesce(whole, 0))
