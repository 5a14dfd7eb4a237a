"""Reported messages of a UKM, and the managers' decisions."""

from typing import Any

from flask import Blueprint, jsonify, render_template
from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.domain.chat import reports
from myukm.domain.chat.reports import ReportedMessage
from myukm.domain.ukm import authorization
from myukm.errors import NotFound
from myukm.web.http.access import wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.request_parsing import whole_number
from myukm.web.ukm.access import (
    base_url,
    current_actor,
    member_or_admin,
    page_context,
    redirect_with_error,
)

bp = Blueprint("ukm_reports", __name__)


@bp.get("/reports")
@member_or_admin
def index(code: str) -> Any:
    """Show a page of reported messages without a decision, oldest first."""
    ukm = authorization.authorize_manager(current_actor(), code)
    page = reports.open_reports(ukm.id, whole_number("page") or 1)
    if wants_json():
        found = [as_json(one) for one in page.items]
        return jsonify({**page_numbers(page), "reports": found})
    return render_template("ukm/reports.html", page=page, **page_context(ukm, is_manager=True))


def as_json(one: ReportedMessage) -> dict[str, Any]:
    """Return a reported message as JSON."""
    message = one.message
    return {
        "message_id": message.id,
        "user_id": message.user_id,
        "name": message.user.name,
        "message": message.body,
        "created_at": to_iso8601(message.created_at),
        "deleted": message.deleted_at is not None,
        "reports": [
            {
                "user_id": report.user_id,
                "name": report.user.name,
                "reason": report.reason,
                "at": to_iso8601(report.at),
            }
            for report in one.reports
        ],
    }


@bp.post("/reports/<int:message_id>/delete")
@member_or_admin
def delete(code: str, message_id: int) -> Any:
    """Accept the reports: delete the message."""
    return decide(code, message_id, _("Pesan itu dihapus."), erase=True)


@bp.post("/reports/<int:message_id>/dismiss")
@member_or_admin
def dismiss(code: str, message_id: int) -> Any:
    """Dismiss the reports: keep the message."""
    return decide(code, message_id, _("Laporannya diabaikan; pesannya tetap ada."), erase=False)


def decide(code: str, message_id: int, notice: str, *, erase: bool) -> Any:
    """Apply a decision and go back to the list."""
    page = f"{base_url(code)}/reports"
    try:
        reports.resolve(current_actor(), code, message_id, erase=erase)
    except NotFound as error:
        return redirect_with_error(error, page, "no_such_report")
    return redirect_or_json(page, notice=notice)
