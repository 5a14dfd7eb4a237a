"""Messages of a UKM that members reported, and what its officers decide."""

from typing import Any

from flask import Blueprint, jsonify, render_template

from myukm.database import iso
from myukm.domain.chat import reports, ukm_desk
from myukm.domain.chat.reports import Reported
from myukm.web.access import wants_json
from myukm.web.arguments import whole_number
from myukm.web.unit_access import base, done, frame, numbers, officer, readers

bp = Blueprint("unit_reports", __name__)


@bp.get("/reports")
@readers
def index(code: str) -> Any:
    """Show a page of the reported messages that wait for a decision, the oldest first."""
    unit = ukm_desk.visit(officer(), code)
    page = reports.waiting(unit.id, whole_number("page") or 1)
    if wants_json():
        found = [as_json(one) for one in page.items]
        return jsonify({**numbers(page), "reports": found})
    return render_template("ukm/reports.html", page=page, **frame(unit, is_officer=True))


def as_json(one: Reported) -> dict[str, Any]:
    """Return a reported message for scripts."""
    message = one.message
    return {
        "message_id": message.id,
        "user_id": message.user_id,
        "name": message.user.name,
        "message": message.body,
        "created_at": iso(message.created_at),
        "deleted": message.deleted_at is not None,
        "reports": [
            {
                "user_id": report.user_id,
                "name": report.user.name,
                "reason": report.reason,
                "at": iso(report.at),
            }
            for report in one.reports
        ],
    }


@bp.post("/reports/<int:message_id>/delete")
@readers
def delete(code: str, message_id: int) -> Any:
    """Agree with the reports: the message is deleted."""
    reports.settle(officer(), code, message_id, erase=True)
    return done(f"{base(code)}/reports")


@bp.post("/reports/<int:message_id>/dismiss")
@readers
def dismiss(code: str, message_id: int) -> Any:
    """Leave the message as it is."""
    reports.settle(officer(), code, message_id, erase=False)
    return done(f"{base(code)}/reports")
