"""Exports of a UKM, for its admins: a job writes everything in the UKM into a ZIP archive."""

from typing import Any

from flask import Blueprint, jsonify, render_template, url_for

from myukm.domain.actor import Actor
from myukm.domain.exports import archive, progress, requests
from myukm.domain.exports.retention import expires_at
from myukm.domain.ukm import authorization
from myukm.live import event_log
from myukm.models import Export, Ukm
from myukm.rate_limiting.local_log import Limit
from myukm.web import export_answers
from myukm.web.http.access import current_account, json_unless_page, wants_json
from myukm.web.http.limits import limited
from myukm.web.ukm.access import member, page_context

KINDS = (requests.ARCHIVE,)
STARTS = Limit("ukm_export", 10, 3600)
bp = Blueprint("ukm_export", __name__, url_prefix="/ukm/<code>/export")


@bp.get("")
@member
def index(code: str) -> Any:
    """Show this admin's exports of the UKM, with the progress of unfinished ones."""
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
    """Request an export: 202; a browser is redirected to the list of exports."""
    export = requests.request_archive(Actor.of(current_account()), code)
    return export_answers.accepted(export, url_for("ukm_export.index", code=code))


@bp.get("/<int:export_id>")
@member
def show(code: str, export_id: int) -> Any:
    """Return the archive. While a job writes it: 202 and progress, or for a browser the list."""
    page = url_for("ukm_export.index", code=code)
    return export_answers.file_or_state(found(code, export_id), page)


@bp.delete("/<int:export_id>")
@bp.post("/<int:export_id>/hapus")
@json_unless_page
@member
def remove(code: str, export_id: int) -> Any:
    """Delete an export, even while a job writes it, and show the list."""
    return export_answers.remove(found(code, export_id), url_for("ukm_export.index", code=code))


def managed(code: str) -> Ukm:
    """Return the UKM. Raises `NotFound` or `Forbidden` unless the user is an admin of this UKM.

    The role of a campus admin is not enough, because campus admins may not read messages.
    """
    return authorization.authorize_manager(Actor.of(current_account()), code)


def found(code: str, export_id: int) -> Export:
    """Return an export that this admin asked for. Raises `NotFound` or `Forbidden`."""
    managed(code)
    return requests.find(current_account().id, export_id, KINDS, code)
