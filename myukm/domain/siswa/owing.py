"""Who owes what: totals, groups and a page of students, all of one moment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func

from myukm.db.session import snapshot
from myukm.db.timeouts import raise_work_memory
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.paging import PER_PAGE, Page
from myukm.domain.payment_api.bill_rows import rupiah
from myukm.domain.siswa import bounded
from myukm.domain.siswa.filters import IMPLAUSIBLE, Filters
from myukm.domain.siswa.listing import Line, page_out_of
from myukm.domain.siswa.matching import LOSSES, Matching
from myukm.domain.siswa.sums import Figures, Group, totals_and_groups
from myukm.extensions import db
from myukm.models import PaymentLoss, Siswa
from myukm.models.siswa import IN_DOUBT


class Report(NamedTuple):
    """The result of `Filters`. Of the students that match the filters about themselves (such as
    unit and search; not about payments), `never_synced` counts those without known bills, and
    `implausible` those whose figures cannot be true, by status."""

    as_of: datetime
    never_synced: int
    implausible: dict[str, int]
    total: Figures
    groups: list[Group]
    page: Page[Line]


def report(filters: Filters, page: int = 1, per_page: int = PER_PAGE) -> Report:
    """Return totals, groups and page number `page` (at most the last), read in one snapshot."""
    matching, about_students = Matching(filters), filters.about_students()
    with snapshot() as session:
        raise_work_memory(session.connection())
        as_of = utcnow()
        unknown, *implausible = _counts(Matching(about_students))
        if bounded.applies(matching):
            total, groups, students = bounded.read(matching, page, per_page)
        else:
            total, groups = totals_and_groups(matching)
            students = page_out_of(matching, total.siswa, page, per_page)
    by_status = dict(zip(IMPLAUSIBLE, implausible, strict=True))
    return Report(as_of, unknown, by_status, total, groups, students)


def _counts(matching: Matching) -> list[int]:
    """Return how many of these students were never synced, then the number for each of
    `IMPLAUSIBLE`.

    Few rows are read: losses from their own table, the other students by the partial index of just
    these (`IN_DOUBT`; MariaDB has none).
    """
    sums = _sums_of(map(matching.mark, ("belum_sinkron", "tidak_cocok")))
    of_student = _first(matching.students(*sums).where(IN_DOUBT))
    lost = matching.students(*_sums_of(LOSSES.values()))
    lost = lost.join(PaymentLoss, PaymentLoss.siswa_id == Siswa.id)
    return [*of_student, *_first(lost)]


def _sums_of(conditions: Iterable[Any]) -> list[Any]:
    return [func.sum(case((condition, 1), else_=0)) for condition in conditions]


def _first(query: Select[Any]) -> list[int]:
    return [int(number or 0) for number in db.session.execute(query).one()]


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
