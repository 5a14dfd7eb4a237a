"""Files of the list of debtors (`tunggakan`) that jobs write: request, progress, download."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, render_template, url_for

from myukm.domain.exports import progress, requests
from myukm.domain.exports.retention import expires_at
from myukm.domain.siswa.filter_labels import chosen
from myukm.domain.siswa.filters import Filters
from myukm.live import event_log
from myukm.models import Export
from myukm.web import export_answers
from myukm.web.http.access import (
    TREASURERS,
    current_account,
    json_unless_page,
    roles,
    wants_json,
)

bp = Blueprint("admin_exports", __name__, url_prefix="/admin/tunggakan/berkas")


def accepted(kind: str, filters: Filters, total: int) -> Any:
    """Let a job write a file of `total` students. Return 202; redirect a browser to its files."""
    export = requests.request(current_account().id, kind, urlencode(filters.query()), total)
    return export_answers.accepted(export, url_for("admin_exports.index"))


@bp.get("")
@roles(*TREASURERS)
def index() -> Any:
    """Show the account's files, with the progress of unfinished ones."""
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
    """Return the file. While a job writes it: 202 and its progress, or for a browser the list."""
    export = requests.find(current_account().id, export_id)
    return export_answers.file_or_state(export, url_for("admin_exports.index"))


@bp.delete("/<int:export_id>")
@bp.post("/<int:export_id>/hapus")
@json_unless_page
@roles(*TREASURERS)
def remove(export_id: int) -> Any:
    """Delete a file, even while a job writes it, and show the list."""
    export = requests.find(current_account().id, export_id)
    return export_answers.remove(export, url_for("admin_exports.index"))


def chips(export: Export) -> list[tuple[str, str]]:
    """Return the filters of an export, each as its label and its value."""
    return [(one.label, one.text) for one in chosen(requests.filters_of(export))]
