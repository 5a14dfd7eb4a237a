"""Requests to join a UKM, and the managers' decisions."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, render_template
from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.domain.actor import Actor
from myukm.domain.ukm import authorization, join_requests
from myukm.errors import NotFound
from myukm.models import JoinRequest, User
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

bp = Blueprint("ukm_requests", __name__)


@bp.get("/requests")
@member_or_admin
def index(code: str) -> Any:
    """Show a page of open requests, oldest first."""
    ukm = authorization.authorize_manager(current_actor(), code)
    page = join_requests.waiting(ukm.id, whole_number("page") or 1)
    if wants_json():
        return jsonify({**page_numbers(page), "requests": [as_json(one) for one in page.items]})
    return render_template("ukm/requests.html", page=page, **page_context(ukm, is_manager=True))


def as_json(one: JoinRequest) -> dict[str, Any]:
    """Return a request as JSON."""
    user = one.user
    return {"user_id": user.id, "name": user.name, "nim": user.nim, "at": to_iso8601(one.at)}


@bp.post("/requests/<int:user_id>/accept")
@member_or_admin
def accept(code: str, user_id: int) -> Any:
    """Accept a request: the person becomes a member."""
    return decide(join_requests.accept, code, user_id, _("%(name)s anggota sekarang."))


@bp.post("/requests/<int:user_id>/refuse")
@member_or_admin
def refuse(code: str, user_id: int) -> Any:
    """Refuse a request."""
    return decide(join_requests.refuse, code, user_id, _("Permintaan %(name)s ditolak."))


def decide(change: Callable[[Actor, str, int], User], code: str, user_id: int, notice: str) -> Any:
    """Apply a decision and go back to the list."""
    page = f"{base_url(code)}/requests"
    try:
        name = change(current_actor(), code, user_id).name
    except NotFound as error:
        return redirect_with_error(error, page, "no_such_request")
    return redirect_or_json(page, notice=notice % {"name": name})
