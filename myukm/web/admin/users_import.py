"""Bulk invitation of accounts from a CSV file, for admins."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template

from myukm.domain.accounts import bulk_invite, bulk_invite_csv
from myukm.errors import DomainError
from myukm.web.http.access import ADMINS, actor, roles, wants_json
from myukm.web.http.request_parsing import form_file

MAX_PROBLEMS = 200

bp = Blueprint("admin_users_import", __name__, url_prefix="/admin/users/import")


@bp.get("")
@roles(*ADMINS)
def form() -> str:
    """Show the upload form and the file's format."""
    return render_template("admin/users/import.html")


@bp.post("/check")
@roles(*ADMINS)
def check() -> Any:
    """Validate the uploaded file and show what it would do, without writing anything."""
    try:
        return answer(bulk_invite.check(sent_file()))
    except DomainError as error:
        return render_refused(error)


@bp.post("")
@roles(*ADMINS)
def invite() -> Any:
    """Invite everyone in the uploaded file and return their one-time codes as CSV, only now."""
    try:
        lines = bulk_invite.invite(sent_file(), by=actor())
    except bulk_invite.InvalidCsv as error:
        return answer(error.preview, error)
    except DomainError as error:
        return render_refused(error)
    headers = {"Content-Disposition": 'attachment; filename="myukm-codes.csv"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def sent_file() -> bytes:
    """Return the uploaded file, b"" if there is none. Raises `DomainError` over 4 MB."""
    file = form_file("roster", bulk_invite_csv.MAX_BYTES, bulk_invite_csv.too_large())
    return file.read() if file else b""


def answer(preview: bulk_invite.Preview, error: bulk_invite.InvalidCsv | None = None) -> Any:
    """Return the preview of a file, with its first `MAX_PROBLEMS` errors if it has any."""
    status = error.status if error else 200
    if not wants_json():
        return render_template(
            "admin/users/import.html", preview=preview, most=MAX_PROBLEMS, error=error
        ), status
    problems = [
        {"line": line, "message": str(reason)} for line, reason in preview.problems[:MAX_PROBLEMS]
    ]
    found = {
        "people": preview.people,
        "renewed": preview.renewed,
        "problem_count": len(preview.problems),
        "problems": problems,
    }
    return jsonify({**found, **(error.as_json() if error else {})}), status


def render_refused(error: DomainError) -> Any:
    """Return the error for a file that cannot be read as a roster."""
    if wants_json():
        raise error
    return render_template("admin/users/import.html", error=error), error.status
