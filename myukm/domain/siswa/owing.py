"""Who owes what: totals, groups and a page of students, all of one moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, case, func, select

from myukm.db.session import snapshot
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.paging import PER_PAGE, Page
from myukm.domain.siswa.filters import BILLS, IMPLAUSIBLE, PLACES, Filters, rupiah
from myukm.domain.siswa.listing import OVERPAID, OWED, Figures, Line, Matching, page_out_of
from myukm.extensions import db
from myukm.models import PaymentLoss, Siswa, Tagihan


class Group(NamedTuple):
    """The students that share `key` (of a unit, a period, …), and what they owe."""

    key: str
    figures: Figures


class Report(NamedTuple):
    """The answer to `Filters`. `never_synced`: students in these places whose bills are unknown,
    `implausible`: those whose figures cannot be true, by status."""

    as_of: datetime
    never_synced: int
    implausible: dict[str, int]
    total: Figures
    groups: list[Group]
    page: Page[Line]


def report(filters: Filters, page: int = 1, per_page: int = PER_PAGE) -> Report:
    """Return totals, groups and page number `page` (at most the last), read in one snapshot."""
    matching, places = Matching(filters), filters.about_students()
    with snapshot():
        as_of = utcnow()
        unknown, *implausible = _counts(Matching(places), ("belum_sinkron", *IMPLAUSIBLE))
        total = totals(matching)
        groups = groups_of(matching) if filters.group else []
        students = page_out_of(matching, total.siswa, page, per_page)
    marks = dict(zip(IMPLAUSIBLE, implausible, strict=True))
    return Report(as_of, unknown, marks, total, groups, students)


def _counts(places: Matching, statuses: Sequence[str]) -> list[int]:
    """Return how many students in these places have each status."""
    sums = [func.sum(case((places.mark(status), 1), else_=0)) for status in statuses]
    return [int(number or 0) for number in db.session.execute(places.select(*sums)).one()]


def totals(matching: Matching) -> Figures:
    """Return the sums over all students that match."""
    sums = (func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
    return _figures(db.session.execute(matching.select(*sums)).one())


def groups_of(matching: Matching) -> list[Group]:
    """Return the groups, those that owe most first. A student is in each group where bills are."""
    group = matching.filters.group or ""
    rows = db.session.execute(
        _by_bill(matching, BILLS[group]) if group in BILLS else _by_place(matching, PLACES[group])
    )
    groups = [Group(key, _figures(figures)) for key, *figures in rows]
    return sorted(groups, key=lambda one: (-one.figures.tunggakan, one.key))


def _by_place(matching: Matching, place: Any) -> Any:
    sums = (func.count(), func.sum(matching.owed), func.sum(matching.overpaid))
    return matching.select(place, *sums).group_by(place)


def _by_bill(matching: Matching, key: Any) -> Any:
    """Add up by student first: counting distinct students over all bills would sort them."""
    students = matching.select(Siswa.id).subquery("students")
    of_student = (
        select(key.label("key"), func.sum(OWED).label("owed"), func.sum(OVERPAID).label("overpaid"))
        .where(*matching.narrowed, Tagihan.siswa_id.in_(select(students.c.id)))
        .group_by(Tagihan.siswa_id, key)
        .subquery("of_student")
    )
    part = of_student.c
    sums = (func.count(), func.sum(part.owed), func.sum(part.overpaid))
    return select(part.key, *sums).group_by(part.key)


def _figures(row: Row[Any] | list[Any]) -> Figures:
    return Figures(*(int(number or 0) for number in row))


def as_json(found: Report) -> dict[str, Any]:
    """Return a report as JSON; amounts are decimal digits, times ISO 8601."""
    return {
        "as_of": to_iso8601(found.as_of),
        "never_synced": found.never_synced,
        "implausible": found.implausible,
        "page": found.page.page,
        "pages": found.page.pages,
        "total": _as_json(found.total),
        "groups": [{"key": one.key, **_as_json(one.figures)} for one in found.groups],
        "siswa": [_line_as_json(line) for line in found.page.items],
    }


def _as_json(figures: Figures) -> dict[str, Any]:
    amounts = (figures.tunggakan, figures.lebih_bayar, figures.bersih)
    names = ("tunggakan", "lebih_bayar", "bersih")
    return {"siswa": figures.siswa, **dict(zip(names, map(rupiah, amounts), strict=True))}


def _line_as_json(line: Line) -> dict[str, Any]:
    student = line.student
    return {
        "idperson": student.idperson,
        "nama": student.nama,
        "unit": student.unit_formal,
        "kelas": student.kelas_formal,
        "asrama": student.asrama_pondok,
        "kamar": student.kamar_pondok,
        "diniyah": student.tingkat_diniyah,
        "active": student.active,
        "tunggakan": rupiah(line.tunggakan),
        "lebih_bayar": rupiah(line.lebih_bayar),
        "lunas": line.lunas,
        "tidak_cocok": student.tidak_cocok,
        "synced_at": to_iso8601(student.synced_at),
        "loss": line.loss and _loss_as_json(line.loss),
    }


def _loss_as_json(loss: PaymentLoss) -> dict[str, Any]:
    return {
        "at": to_iso8601(loss.at),
        "paid_before": rupiah(loss.paid_before),
        "paid_after": rupiah(loss.paid_after),
        "vanished": loss.vanished,
        "vanished_billed": rupiah(loss.vanished_billed),
        "vanished_name": loss.vanished_name,
    }
