"""Who has read a UKM's announcement, for its managers."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request

from myukm.domain.ukm import authorization, readers
from myukm.domain.ukm import state as ukm_state
from myukm.web.http.access import wants_json
from myukm.web.http.answers import page_numbers
from myukm.web.http.request_parsing import whole_number
from myukm.web.ukm.access import current_actor, member_or_admin, page_context

bp = Blueprint("ukm_readers", __name__)


@bp.get("/readers")
@member_or_admin
def index(code: str) -> Any:
    """Show a page of the members who read the announcement, or with `unread=1` of the others."""
    ukm = authorization.authorize_manager(current_actor(), code)
    unread = request.args.get("unread") == "1"
    page = readers.find(ukm, whole_number("page") or 1, read=not unread)
    if wants_json():
        numbers = readers.counts([ukm.id]).get(ukm.id, readers.Readers(0, 0))
        people = [one._asdict() for one in page.items]
        return jsonify({**page_numbers(page), **numbers._asdict(), "people": people})
    shown = {"page": page, "unread": unread, "pin": ukm_state.pin(ukm.id)}
    return render_template("ukm/readers.html", **shown, **page_context(ukm, is_manager=True))
