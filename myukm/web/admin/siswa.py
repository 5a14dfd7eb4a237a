"""Students and their payments, for admins, treasurers and operators."""

import re
from typing import Any
from urllib.parse import quote

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import lazy_gettext as _
from werkzeug.routing import BaseConverter

from myukm.db.types import to_iso8601
from myukm.domain.siswa import bills, directory, links
from myukm.domain.siswa.listing import page_of
from myukm.domain.sync import commands, payment_history, student_state
from myukm.models import Siswa
from myukm.web.admin.student_filters import form, from_query
from myukm.web.http.access import TREASURERS, VIEWERS, actor, json_view, roles, wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.request_parsing import whole_number

LISTS = re.compile(r"/admin/(siswa|tunggakan)\?")
bp = Blueprint("admin_siswa", __name__, url_prefix="/admin/siswa")


class IdPerson(BaseConverter):
    """URL converter for a student's id; the payment system may use any character, even slashes."""

    regex = ".+"
    part_isolating = False

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


@bp.record
def _register_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["idperson"] = IdPerson


@bp.get("")
@roles(*VIEWERS)
def index() -> Any:
    """Show a page of the students that match the filters."""
    filters = from_query()
    page = page_of(filters, whole_number("page") or 1)
    if wants_json():
        students = [directory.as_json(line.student) for line in page.items]
        return jsonify(siswa=students, **page_numbers(page))
    unsynced = directory.count_unless_synced() if filters.status and not page.items else 0
    return render_template("admin/siswa/index.html", page=page, unsynced=unsynced, **form(filters))


@bp.get("/<idperson:idperson>", merge_slashes=False)
@roles(*VIEWERS)
def show(idperson: str) -> Any:
    """Show a student's bills and a page of the changes."""
    student = directory.find(idperson)
    found = bills.of(student)
    if wants_json():
        own = {
            "pembayaran": student.pembayaran,
            "readable": found.readable,
            "disagreements": [bills.as_json(one) for one in found.disagreements],
            "waits_for": waits_for(idperson),
        }
        return jsonify(directory.as_json(student) | own)
    return page_of_student(student, found)


def page_of_student(student: Siswa, found: bills.Bills, code: str | None = None) -> str:
    """Return the page of a student; `code` is the link code that was just created."""
    idperson = student.idperson
    return render_template(
        "admin/siswa/show.html",
        siswa=student,
        bills=found,
        account=links.account_of(idperson),
        code=code,
        # For the address bar, because the address of a POST is not that of the page.
        page_address=student_url(idperson) if code else None,
        code_until=links.open_code(idperson),
        history=payment_history.of_student(idperson, whole_number("page") or 1),
        waits_for=waits_for(idperson),
        back=back(),
    )


@bp.post("/<idperson:idperson>/sync", merge_slashes=False)
@json_view
@roles(*TREASURERS)
def sync(idperson: str) -> Any:
    """Request a sync of one student; the outcome comes as the event `sync.siswa`."""
    job_id = commands.sync_student_later(actor(), directory.find(idperson).idperson)
    return jsonify(job_id=job_id, waits_for=waits_for(idperson)), 202


@bp.post("/<idperson:idperson>/code", merge_slashes=False)
@roles(*TREASURERS)
def link_code(idperson: str) -> Any:
    """Create a one-time code that links an account to the student; only this response shows it."""
    student = directory.find(idperson)
    code = links.create_code(student, actor())
    if wants_json():
        return jsonify(code=code, valid_until=to_iso8601(links.open_code(student.idperson)))
    return page_of_student(student, bills.of(student), code)


@bp.post("/<idperson:idperson>/unlink", merge_slashes=False)
@roles(*TREASURERS)
def unlink(idperson: str) -> Any:
    """Unlink the account of the student."""
    student = directory.find(idperson)
    links.unlink(student, actor())
    return redirect_or_json(student_url(student.idperson), notice=_("Akun dilepaskan."))


def student_url(idperson: str) -> str:
    """Return the address of a student's page, with this request's `back`."""
    return url_for("admin_siswa.show", idperson=idperson, back=request.args.get("back"))


def back() -> str:
    """Return the address of the list that the reader came from, with its filters."""
    came_from = request.args.get("back", "")
    return came_from if LISTS.match(came_from) else "/admin/siswa"


def waits_for(idperson: str) -> dict[str, str] | None:
    """Return why a requested sync of this student is waiting; None if none is requested."""
    reason = student_state.waits_for(idperson)
    return reason and {"code": reason.code, "text": str(reason.text)}
