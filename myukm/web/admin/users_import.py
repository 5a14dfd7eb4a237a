"""Many accounts at once from a CSV file, for admins."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from myukm.domain.accounts import bulk_invite, bulk_invite_csv
from myukm.errors import DomainError
from myukm.web.http.access import ADMINS, current_account, roles, wants_json
from myukm.web.http.request_parsing import SMALL_BODY

MAX_PROBLEMS = 200

bp = Blueprint("admin_users_import", __name__, url_prefix="/admin/users/import")


@bp.before_request
def limit_file() -> None:
    """Refuse what is larger than any roster, before it is read."""
    request.max_content_length = bulk_invite_csv.MAX_BYTES + SMALL_BODY


@bp.get("")
@roles(*ADMINS)
def form() -> str:
    """Show where to choose the file, and what it must look like."""
    return render_template("admin/users/import.html")


@bp.post("/check")
@roles(*ADMINS)
def check() -> Any:
    """Say what the file `bulk_invite` would do, and what is wrong with which line; write
    nothing."""
    try:
        return answer(bulk_invite.check(sent_file()))
    except DomainError as error:
        return render_refused(error)


@bp.post("")
@roles(*ADMINS)
def invite() -> Any:
    """Invite everyone in the file `bulk_invite`; their codes go out as a CSV file, this once."""
    try:
        lines = bulk_invite.invite(sent_file(), by=current_account().name)
    except bulk_invite.InvalidCsv as error:
        return answer(error.preview, error)
    except DomainError as error:
        return render_refused(error)
    headers = {"Content-Disposition": 'attachment; filename="myukm-codes.csv"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def sent_file() -> bytes:
    """Return the sent file, nothing when there is none."""
    file = request.files.get("roster")
    return file.read() if file else b""


def answer(preview: bulk_invite.Preview, error: bulk_invite.InvalidCsv | None = None) -> Any:
    """Answer what a file would do, or why it did nothing, with its first problems."""
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
    """Answer why a file is no roster at all."""
    if wants_json():
        raise error
    return render_template("admin/users/import.html", error=error), error.status
