"""Which students match the filters, and the sums of their bills that match them."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    false,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import cast as sql_cast

from myukm.db.session import in_literals
from myukm.domain.siswa.filters import BILLS, PLACES, Filters
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import BillSet, PaymentLoss, Siswa, SyncItem, SyncRun, Tagihan
from myukm.models.siswa import SEARCH_LENGTH, Verdict, fold
from myukm.models.sync import ItemStatus
from myukm.models.tagihan import OVERPAID, OWED

MAX_WORDS = 8
OF_SETS = {"period": BillSet.period_id, "category": BillSet.category}
# Statuses of students with an open bill that matches, and all that depend on the sums of bills.
OPEN = {"tunggakan", "belum", "lebih_bayar"}
SUMMED = {*OPEN, "lunas"}
Condition = ColumnElement[bool]
LOSSES: dict[str, Condition] = {
    "dibayar_turun": PaymentLoss.paid_after < PaymentLoss.paid_before,
    "tagihan_hilang": PaymentLoss.vanished > 0,
}
_with_loss = select(PaymentLoss.siswa_id)
# Always true. It lets SQLite read students from the index that has all columns of the query.
BY_INDEX = Siswa.search_text >= ""


class Matching:
    """The students that match `filters`, as parts of queries.

    `owed` and `overpaid` are the sums of a student's bills that match, in sen. These sums read only
    open bills, by an index of open bills alone; sets of bills tell who has a bill at all.
    """

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self._sums = self._sums_of_bills() if filters.narrowed else None
        if self._sums is None:
            self.owed, self.overpaid = _sen(Siswa.tunggakan), _sen(Siswa.lebih_bayar)
        else:
            self.owed = func.coalesce(self._sums.c.owed, 0)
            self.overpaid = func.coalesce(self._sums.c.overpaid, 0)

    @property
    def bounds_sums(self) -> bool:
        """Whether the sums decide which students match."""
        wanted = self.filters
        bounded = (wanted.min, wanted.max) != (None, None)
        return bounded or not SUMMED.isdisjoint((*wanted.status, *wanted.filter))

    @property
    def _needs_sums(self) -> bool:
        """Whether only students with an open bill that matches can match."""
        wanted = self.filters
        some = bool(wanted.status) and OPEN.issuperset(wanted.status)
        return some or not OPEN.isdisjoint(wanted.filter) or bool(wanted.min)

    def select(self, *columns: Any) -> Select[Any]:
        """Return the query for `columns` (also `owed` and `overpaid`) of the matching students."""
        query = select(*columns).select_from(Siswa)
        if self._sums is not None:
            # `+ 0`, because otherwise SQLite looks up students by their ids and reads each row
            # completely, with the student's payments.
            key = Siswa.id + 0 if db.engine.dialect.name == "sqlite" else Siswa.id
            query = query.join(
                self._sums, self._sums.c.siswa_id == key, isouter=not self._needs_sums
            )
            query = query.where(BY_INDEX)
        return query.where(*self.conditions())

    def figures_of(self, ids: Sequence[int]) -> Select[Any]:
        """Return the query for id, `owed` and `overpaid` of these students."""
        columns: Any = (self.owed, self.overpaid)
        if self._sums is None:
            return select(Siswa.id, *columns).where(in_literals(Siswa.id, ids))
        sums = self._sums_of_bills(in_literals(Tagihan.siswa_id, ids))
        columns = (func.coalesce(one, 0) for one in (sums.c.owed, sums.c.overpaid))
        query = select(Siswa.id, *columns).outerjoin(sums, sums.c.siswa_id == Siswa.id)
        return query.where(in_literals(Siswa.id, ids))

    def students(self, *columns: Any) -> Select[Any]:
        """Return the query for `columns` (not `owed` or `overpaid`) of the matching students."""
        if self.bounds_sums:
            return self.select(*columns)
        return select(*columns).select_from(Siswa).where(*self.conditions())

    def open_bills(self, *columns: Any) -> Select[Any]:
        """Return the query for `columns` of the open bills that match."""
        query = select(*columns).where(Tagihan.remaining != 0, *narrow(self.filters, BILLS))
        if self.conditions():
            query = query.where(Tagihan.siswa_id.in_(self.students(Siswa.id)))
        return query

    def has_bill(self) -> Condition:
        """Return the condition that a student has a bill that matches."""
        some = narrow(self.filters, OF_SETS)
        if not some:
            return Siswa.bill_set.is_not(None)
        sets = select(BillSet.id).where(*some).distinct()
        # `+ 0`, because otherwise SQLite looks up students by the index of sets and reads each row
        # completely, with the student's payments.
        return Siswa.bill_set.is_not(None) & (Siswa.bill_set + 0).in_(sets)

    def _sums_of_bills(self, *conditions: Condition) -> FromClause:
        # Cast to BIGINT, because PostgreSQL's sum of BIGINT is NUMERIC, which is much slower.
        owed, overpaid = (sql_cast(func.sum(one), BigInteger) for one in (OWED, OVERPAID))
        sums = (owed.label("owed"), overpaid.label("overpaid"))
        query = select(Tagihan.siswa_id, *sums)
        query = query.where(Tagihan.remaining != 0, *narrow(self.filters, BILLS), *conditions)
        return query.group_by(Tagihan.siswa_id).subquery("sums")

    def conditions(self) -> list[Condition]:
        """Return the conditions on a student; an empty list lets all match."""
        wanted, found = self.filters, _about_student(self.filters)
        if wanted.min is not None:
            found.append(self.owed >= wanted.min)
        if wanted.max is not None:
            found.append(self.owed <= wanted.max)
        if wanted.status:
            found.append(or_(*(self.mark(name) for name in wanted.status)))
        return found + [self.mark(name) for name in wanted.filter]

    def mark(self, name: str) -> Condition:
        """Return the condition for a status or filter of this name."""
        marks = {
            "belum_sinkron": Siswa.status == Verdict.BELUM_SINKRON,
            "tidak_cocok": Siswa.tidak_cocok.is_(True),
            **{name: Siswa.id.in_(_with_loss.where(loss)) for name, loss in LOSSES.items()},
            "gagal": _failed_in_the_last_run(),
            "aktif": Siswa.active.is_(True),
            "nonaktif": Siswa.active.is_(False),
            **(self._verdicts() if self._sums is None else self._narrowed_verdicts()),
        }
        return marks["tunggakan" if name == "belum" else name]

    def _verdicts(self) -> dict[str, Condition]:
        return {
            "tunggakan": Siswa.status == Verdict.TUNGGAKAN,
            "lunas": Siswa.status == Verdict.LUNAS,
            "tanpa_tagihan": Siswa.status == Verdict.TANPA_TAGIHAN,
            "lebih_bayar": Siswa.lebih_bayar > 0,
        }

    def _narrowed_verdicts(self) -> dict[str, Condition]:
        synced = Siswa.status != Verdict.BELUM_SINKRON
        return {
            "tunggakan": self.owed > 0,
            "lunas": self.has_bill() & (self.owed == 0),
            "tanpa_tagihan": synced & ~self.has_bill(),
            "lebih_bayar": self.overpaid > 0,
        }


def narrow(filters: Filters, columns: dict[str, Any]) -> list[Condition]:
    """Return the conditions of the filters on `columns`, which are keyed by the filters' names."""
    return [
        column.in_(names) for name, column in columns.items() if (names := getattr(filters, name))
    ]


def _about_student(wanted: Filters) -> list[Condition]:
    found = narrow(wanted, PLACES)
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


def _sen(column: Any) -> ColumnElement[int]:
    """Return a column in rupiah as whole sen, 0 before the first sync."""
    whole = sql_cast(func.round(type_coerce(column, Numeric(20, 2)) * 100), BigInteger)
    return cast(ColumnElement[int], func.coalesce(whole, 0))
