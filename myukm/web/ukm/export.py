"""Exports of a UKM, for its admins: all of it as a ZIP archive that a job writes."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from myukm.domain.actor import Actor
from myukm.domain.exports import archive, progress, requests
from myukm.domain.exports.retention import expires_at
from myukm.domain.ukm import authorization
from myukm.live import event_log
from myukm.models import Export, Ukm
from myukm.models.export import ExportState
from myukm.rate_limiting.local_log import Limit
from myukm.web.admin.exports import download
from myukm.web.http.access import current_account, json_view, wants_json
from myukm.web.http.limits import limited
from myukm.web.http.notices import add_notice
from myukm.web.ukm.access import member, page_context

KINDS = (requests.ARCHIVE,)
STARTS = Limit("ukm_export", 10, 3600)
bp = Blueprint("ukm_export", __name__, url_prefix="/ukm/<code>/export")


@bp.get("")
@member
def index(code: str) -> Any:
    """Show this admin's exports of the UKM, those that are being written with their progress."""
    ukm, cursor = managed(code), event_log.latest_seq()
    found = requests.of_account(current_account().id, KINDS, code)
    if wants_json():
        return jsonify(files=[progress.as_json(one) for one in found])
    return render_template(
        "ukm/export.html",
        rows=[(one, progress.as_json(one), []) for one in found],
        total=archive.count(ukm.id),
        cursor=cursor,
        expires=expires_at,
        **page_context(ukm, is_manager=True),
    )


@bp.post("")
@member
@limited(STARTS)
def start(code: str) -> Any:
    """Ask for an export: 202, or for a browser the page of its exports."""
    export = requests.request_archive(Actor.of(current_account()), code)
    if not wants_json():
        return redirect(url_for("ukm_export.index", code=code), 303)
    answer = jsonify(progress.as_json(export))
    answer.headers["Location"] = url_for("ukm_export.show", code=code, export_id=export.id)
    return answer, 202


@bp.get("/<int:export_id>")
@member
def show(code: str, export_id: int) -> Any:
    """Return the archive; while it is being written 202 and its progress, or its page."""
    export = found(code, export_id)
    if export.state == ExportState.READY:
        return download(export)
    if "text/html" in request.headers.get("Accept", ""):
        return redirect(url_for("ukm_export.index", code=code))
    return jsonify(progress.as_json(export)), 409 if export.state == ExportState.FAILED else 202


@bp.delete("/<int:export_id>")
@json_view
@member
def remove(code: str, export_id: int) -> Any:
    """Delete an export; one that is being written is given up."""
    requests.remove(found(code, export_id))
    return "", 204


@bp.post("/<int:export_id>/hapus")
@member
def remove_by_form(code: str, export_id: int) -> Any:
    """Delete an export and show the others."""
    requests.remove(found(code, export_id))
    add_notice(_("Berkas dihapus."))
    return redirect(url_for("ukm_export.index", code=code), 303)


def managed(code: str) -> Ukm:
    """Return the UKM. Raises `NotFound` or `Forbidden` for who is not its admin; a campus admin
    is none, because they may not read the messages of others."""
    return authorization.authorize_read(Actor.of(current_account()), code)


def found(code: str, export_id: int) -> Export:
    """Return an export that this admin asked for. Raises `NotFound` or `Forbidden`."""
    managed(code)
    return requests.find(current_account().id, export_id, KINDS, code)
