"""Files of the list of who owes what that a job writes: asked for, watched, downloaded."""

from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    jsonify,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _

from myukm.domain.exports import progress, requests
from myukm.domain.exports.retention import expires_at
from myukm.domain.siswa.filter_labels import chosen
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing_files import CSV, XLSX
from myukm.live import event_log
from myukm.models import Export
from myukm.models.export import ExportState
from myukm.web.http.access import TREASURERS, current_account, json_view, roles, wants_json
from myukm.web.http.notices import add_notice

TYPES = {"csv": CSV, "xlsx": XLSX, "zip": "application/zip"}
bp = Blueprint("admin_exports", __name__, url_prefix="/admin/tunggakan/berkas")


def accepted(kind: str, filters: Filters, total: int) -> Any:
    """Answer a request for a file of `total` students, which a job writes: 202, or for a browser
    the page of its files."""
    export = requests.request(current_account().id, kind, urlencode(filters.query()), total)
    if "text/html" in request.headers.get("Accept", ""):
        return redirect(url_for("admin_exports.index"), 303)
    answer = jsonify(progress.as_json(export))
    answer.headers["Location"] = url_for("admin_exports.show", export_id=export.id)
    return answer, 202


@bp.get("")
@roles(*TREASURERS)
def index() -> Any:
    """Show the account's files, those that are being written with their progress."""
    cursor = event_log.latest_seq()
    found = requests.of_account(current_account().id)
    if wants_json():
        return jsonify(files=[progress.as_json(one) for one in found])
    rows = [(one, progress.as_json(one), chips(one)) for one in found]
    return render_template(
        "admin/tunggakan/files.html", rows=rows, cursor=cursor, expires=expires_at
    )


@bp.get("/<int:export_id>")
@roles(*TREASURERS)
def show(export_id: int) -> Any:
    """Return the file; while it is being written 202 and its progress, or its page."""
    export = requests.find(current_account().id, export_id)
    if export.state == ExportState.READY:
        return download(export)
    if "text/html" in request.headers.get("Accept", ""):
        return redirect(url_for("admin_exports.index"))
    return jsonify(progress.as_json(export)), 409 if export.state == ExportState.FAILED else 202


@bp.delete("/<int:export_id>")
@json_view
@roles(*TREASURERS)
def remove(export_id: int) -> Any:
    """Delete a file; one that is being written is given up."""
    requests.remove(requests.find(current_account().id, export_id))
    return "", 204


@bp.post("/<int:export_id>/hapus")
@roles(*TREASURERS)
def remove_by_form(export_id: int) -> Any:
    """Delete a file and show the others."""
    requests.remove(requests.find(current_account().id, export_id))
    add_notice(_("Berkas dihapus."))
    return redirect(url_for("admin_exports.index"), 303)


def download(export: Export) -> Response:
    """Return the bytes of a ready export, part by part."""
    requests.check_right(export)
    headers = {
        "Content-Disposition": f'attachment; filename="{progress.file_name(export)}"',
        "Content-Length": str(export.size),
    }
    return Response(
        stream_with_context(requests.read(export)), mimetype=TYPES[export.kind], headers=headers
    )


def chips(export: Export) -> list[tuple[str, str]]:
    """Return the filters of an export as a reader reads them."""
    return [(one.label, one.text) for one in chosen(requests.filters_of(export))]
