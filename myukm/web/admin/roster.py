"""Imports of students: upload, preview, application and undo, for admins and treasurers."""

from collections.abc import Mapping
from typing import Any, BinaryIO, cast

import msgspec
from flask import Blueprint, jsonify, render_template, request
from flask_babel import lazy_gettext as _

from myukm.db.types import to_iso8601
from myukm.domain import csv_table
from myukm.domain.paging import Page
from myukm.domain.roster import imports, leaving, parts, preview
from myukm.errors import Conflict, DomainError, Invalid
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import ImportStatus
from myukm.rate_limiting.local_log import Limit
from myukm.web.http.access import TREASURERS, actor, current_account, roles, wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import limited
from myukm.web.http.request_parsing import form_file, whole_number

UPLOADS = Limit("roster-upload", 20, 600)
NUMBERS = ("plan", "students", "active", "added", "changed", "leaving", "wrong", "skipped")

bp = Blueprint("admin_siswa_import", __name__, url_prefix="/admin/impor-siswa")


class Applied(msgspec.Struct):
    """The number of the preview that was shown, and whether many students may become inactive."""

    plan: int
    accept: bool = False


@bp.get("")
@roles(*TREASURERS)
def index() -> Any:
    """Show the upload form and the latest imports."""
    if wants_json():
        return jsonify(imports=[as_json(one) for one in imports.recent()])
    return render_index()


@bp.post("")
@roles(*TREASURERS)
@limited(UPLOADS)
def upload() -> Any:
    """Store the uploaded file; a job makes its preview."""
    form: Mapping[str, str] = {}
    try:
        file = form_file("roster", parts.MAX_BYTES, csv_table.too_large(parts.MAX_BYTES))
        form = request.form
        if not file:
            raise Invalid(_("Pilih sebuah berkas CSV atau XLSX."), code="no_file")
        whole = is_whole()
        one = imports.upload(actor(), cast(BinaryIO, file.stream), file.filename or "", whole=whole)
    except DomainError as error:
        if wants_json():
            raise
        return render_index(error, form), error.status
    return to_import(one)


def is_whole() -> bool:
    """Return whether students that the file does not name become inactive.

    Raises `Invalid` for any value but "true": a script that sends "1" means yes, and must not be
    taken for no.
    """
    sent = request.form.getlist("whole")
    if sent not in ([], ["true"]):
        raise Invalid(_("Isian whole hanya boleh true, atau tidak dikirim."), code="bad_whole")
    return bool(sent)


@bp.post("/api")
@roles(*TREASURERS)
@limited(UPLOADS)
def fetch() -> Any:
    """Let a job fetch the payment API's roster and make its preview."""
    return to_import(imports.request_api(actor()))


@bp.get("/<int:import_id>")
@roles(*TREASURERS)
def show(import_id: int) -> Any:
    """Show the state of an import and a page of its changes.

    Scripts and open pages that ask how far a job is get the state alone, because they ask often and
    each page of changes would be counted and read.
    """
    one = imports.find(import_id, current_account().id)
    kind = request.args.get("show") or preview.first_kind(one)
    if kind not in {**preview.counts(one), preview.SKIPPED: 0}:
        raise Invalid(_("Pilihan %(name)s tidak dikenal.", name="show"), code="bad_show")
    number = whole_number("page") or 1
    if wants_json() and one.is_busy:
        return jsonify(as_json(one))
    page = preview.changes(one, kind, number)
    if wants_json():
        return jsonify(as_json(one, page))
    last = imports.last_applied()
    return render_template(
        "admin/roster/show.html",
        one=one,
        kind=kind,
        page=page,
        counts=preview.counts(one),
        many_leave=one.status == ImportStatus.READY and leaving.are_many(one),
        is_incomplete=preview.is_incomplete(one),
        can_undo=last is not None and last.id == one.id,
    )


@bp.post("/<int:import_id>/apply")
@roles(*TREASURERS)
@takes(Applied)
def apply(import_id: int, sent: Applied) -> Any:
    """Let a job write what this preview shows; for an outdated preview it makes a new one."""
    one = imports.find(import_id, current_account().id)
    imports.start_apply(one, sent.plan, accept=sent.accept)
    return to_import(one)


@bp.post("/<int:import_id>/withdraw")
@roles(*TREASURERS)
def withdraw(import_id: int) -> Any:
    """Withdraw a preview; nothing was written. 409 if another tab has applied it meanwhile."""
    imports.find(import_id, current_account().id)
    if not imports.withdraw(import_id):
        imports.find(import_id, current_account().id)  # 404 if another tab has withdrawn it
        text = _("Impor ini sudah mulai ditulis, jadi tidak bisa dibuang lagi.")
        raise Conflict(text, code="not_open")
    return redirect_or_json(
        "/admin/impor-siswa", notice=_("Pratinjau dibuang, tidak ada yang ditulis.")
    )


@bp.post("/<int:import_id>/undo")
@roles(*TREASURERS)
def undo(import_id: int) -> Any:
    """Let a job restore what the last import changed."""
    one = imports.find(import_id, current_account().id)
    imports.start_undo(one, actor())
    return to_import(one)


def render_index(error: DomainError | None = None, form: Mapping[str, str] = {}) -> str:
    """Return the page with the upload form, after a refusal as it was filled in."""
    last = imports.last_applied()
    return render_template(
        "admin/roster/index.html",
        recent=imports.recent(),
        last_id=last.id if last else None,
        error=error,
        form=form,
        megabytes=parts.MAX_BYTES >> 20,
    )


def to_import(one: RosterImport) -> Any:
    """Redirect a form to the import; a script gets 202 and its state."""
    return redirect_or_json(f"/admin/impor-siswa/{one.id}", as_json(one), status=202)


def as_json(one: RosterImport, page: Page[RosterChange] | None = None) -> dict[str, Any]:
    """Return an import as JSON, with a page of its changes."""
    state = {
        "import_id": one.id,
        "status": one.status,
        "source": one.source,
        "file_name": one.file_name,
        "whole": one.whole,
        "outdated": one.outdated,
        "error": one.error,
        "done": min(one.position, one.total) if one.status == ImportStatus.APPLYING else 0,
        "settled_at": to_iso8601(one.settled_at),
        **{name: getattr(one, name) for name in NUMBERS},
    }
    if page is None:
        return state
    changes = [preview.as_json(change) for change in page.items]
    return state | {"changes": changes, **page_numbers(page)}
