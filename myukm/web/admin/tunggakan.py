"""Who owes what, for admins and treasurers."""

from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

from flask import Blueprint, Response, jsonify, render_template, send_file

from myukm.domain.siswa import owing
from myukm.domain.siswa.filters import BILLS, Filters
from myukm.domain.siswa.listing import Figures
from myukm.domain.siswa.listing_files import MAX_STUDENTS, XLSX, check_size, write_csv, write_xlsx
from myukm.web.admin.student_filters import form, from_query
from myukm.web.http.access import TREASURERS, roles, wants_json
from myukm.web.http.request_parsing import whole_number

bp = Blueprint("admin_tunggakan", __name__, url_prefix="/admin")


@bp.get("/tunggakan")
@roles(*TREASURERS)
def index() -> Any:
    """Show totals, groups and a page of the students that match the filters."""
    filters = from_query()
    report = owing.report(filters, whole_number("page") or 1)
    if wants_json():
        return jsonify(owing.as_json(report))
    return show(filters, report)


@bp.get("/tunggakan/cetak")
@roles(*TREASURERS)
def paper() -> str:
    """Show all students that match on one page, and ask the browser to print it."""
    filters = from_query()
    check_size(filters)
    return show(filters, owing.report(filters, per_page=MAX_STUDENTS), prints=True)


def show(filters: Filters, report: owing.Report, *, prints: bool = False) -> str:
    """Return the page of a report."""
    most = max((one.figures.tunggakan for one in report.groups), default=0)
    groups = [(one, of_group(filters, one.key), share(one.figures, most)) for one in report.groups]
    return render_template(
        "admin/tunggakan/index.html",
        report=report,
        groups=groups,
        prints=prints,
        about=lambda status: filters.about_students().query(status=(status,)),
        **form(filters),
    )


@bp.get("/tunggakan.csv")
@roles(*TREASURERS)
def csv() -> Response:
    """Return what the filters show as CSV."""
    return download(write_csv, "text/csv", "tunggakan.csv")


@bp.get("/tunggakan.xlsx")
@roles(*TREASURERS)
def xlsx() -> Response:
    """Return what the filters show as XLSX."""
    return download(write_xlsx, XLSX, "tunggakan.xlsx")


def download(write: Callable[[Filters, IO[bytes]], None], kind: str, name: str) -> Response:
    """Return a file of at most `MAX_STUDENTS`. Raises `Invalid` if there are more."""
    filters = from_query()
    check_size(filters)
    file = BytesIO()
    write(filters, file)
    file.seek(0)
    return send_file(file, kind, as_attachment=True, download_name=name)


def of_group(filters: Filters, key: str) -> list[tuple[str, str]]:
    """Return the query for the students of a group."""
    group = filters.group or ""
    changed: dict[str, Any] = {group: (key,), "group": None}
    if group in BILLS and not filters.status:
        changed["status"] = ("tunggakan", "lunas")  # who has such a bill
    return filters.query(**changed)


def share(figures: Figures, most: int) -> float:
    """Return what a group owes, in percent of the one that owes most."""
    return round(100 * figures.tunggakan / most, 2) if most else 0
