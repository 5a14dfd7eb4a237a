"""Who owes what, for admins and treasurers."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, render_template, send_file, url_for
from sqlalchemy.exc import DBAPIError

from myukm.cooperative import yield_control
from myukm.db.availability import is_unavailable
from myukm.db.types import utcnow
from myukm.domain.siswa import directory, listing_files, owing, statements
from myukm.domain.siswa.filters import BILLS, Filters
from myukm.domain.siswa.listing_files import MAX_STUDENTS, check_size, write_csv, write_xlsx
from myukm.domain.siswa.matching import Matching
from myukm.domain.siswa.sums import Figures
from myukm.rate_limiting.local_log import Limit
from myukm.web.admin import exports
from myukm.web.admin.siswa import student_url
from myukm.web.admin.student_filters import form, from_query
from myukm.web.export_answers import TYPES
from myukm.web.http.access import TREASURERS, VIEWERS, roles, wants_json
from myukm.web.http.limits import limited
from myukm.web.http.request_parsing import whole_number

bp = Blueprint("admin_tunggakan", __name__, url_prefix="/admin")
STATEMENTS = "admin/siswa/statements.html"
FILES = Limit("tunggakan_file", 30, 60)


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
    check_size(filters, MAX_STUDENTS)
    return show(filters, owing.report(filters, per_page=MAX_STUDENTS), prints=True)


@bp.get("/tunggakan/statements")
@roles(*TREASURERS)
def statements_of_all() -> str:
    """Show the statements of all students that match, and ask the browser to print them."""
    filters = from_query()
    found = statements.of_matching(filters)
    here = f"{url_for('admin_tunggakan.index')}?{urlencode(filters.query())}"
    return render_template(STATEMENTS, statements=found, as_of=utcnow(), back=here)


@bp.get("/tunggakan/statements/<idperson:idperson>", merge_slashes=False)
@roles(*VIEWERS)
def statement(idperson: str) -> str:
    """Show a student's statement, and ask the browser to print it.

    Not at an address below the student's page, because an id may end in anything.
    """
    found, here = statements.of(directory.find(idperson)), student_url(idperson)
    return render_template(STATEMENTS, statements=[found], as_of=utcnow(), back=here)


def show(filters: Filters, report: owing.Report, *, prints: bool = False) -> str:
    """Return the page of a report."""
    most = max((one.figures.tunggakan for one in report.groups), default=0)
    groups = [(one, of_group(filters, one.key), share(one.figures, most)) for one in report.groups]
    return render_template(
        "admin/tunggakan/index.html",
        report=report,
        groups=groups,
        prints=prints,
        large=report.total.siswa > listing_files.MAX_STUDENTS,
        about=lambda status: filters.about_students().query(status=(status,)),
        **form(filters),
    )


@bp.get("/tunggakan.csv")
@roles(*TREASURERS)
@limited(FILES)
def csv() -> Any:
    """Return the matching students as CSV, or 202 if a job must write the file."""
    return file("csv", write_csv)


@bp.get("/tunggakan.xlsx")
@roles(*TREASURERS)
@limited(FILES)
def xlsx() -> Any:
    """Return the matching students as XLSX, or 202 if a job must write the file."""
    return file("xlsx", write_xlsx)


def file(kind: str, write: Callable[..., None]) -> Any:
    """Return the file; let a job write it if it has more than `MAX_STUDENTS`, or if the database
    ended it at a time limit, which jobs do not have."""
    filters = from_query()
    total = listing_files.count(filters)
    if total > listing_files.MAX_STUDENTS:
        return exports.accepted(kind, filters, total)
    content = BytesIO()
    try:
        write(filters, content, yield_control, limited=True)
    except DBAPIError as error:
        if not is_unavailable(error):
            raise
        return exports.accepted(kind, filters, total)
    content.seek(0)
    name = f"tunggakan.{kind}"
    return send_file(content, TYPES[kind], as_attachment=True, download_name=name)


def of_group(filters: Filters, key: str) -> list[tuple[str, str]]:
    """Return the query for the students of a group; an empty list if no query finds just them.

    A period or category in the query also narrows the bills of which `min`, `max` and the status
    are, so that with these it would find other students than the group has.
    """
    group = filters.group or ""
    changed: dict[str, Any] = {group: (key,), "group": None}
    if group in BILLS:
        if filters.status or Matching(filters).bounds_sums:
            return []
        changed["status"] = ("tunggakan", "lunas")  # all who have such a bill
    return filters.query(**changed)


def share(figures: Figures, most: int) -> float:
    """Return what a group owes, in percent of the group that owes most."""
    return round(100 * figures.tunggakan / most, 2) if most else 0
