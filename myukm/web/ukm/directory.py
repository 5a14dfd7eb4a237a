"""The directory of UKMs, and a person's requests to join."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _

from myukm.domain.ukm import directory, join_requests
from myukm.errors import Conflict, NotFound
from myukm.rate_limiting.local_log import Limit
from myukm.web.http.access import current_account, logged_in, wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.limits import limited
from myukm.web.http.request_parsing import limit_body, whole_number
from myukm.web.ukm.access import redirect_with_error

bp = Blueprint("ukm_directory", __name__, url_prefix="/ukm")
bp.before_request(limit_body)
ASKING = Limit("join-request", 20, 3600)
PAGE = "/ukm/directory"


@bp.get("/directory")
@logged_in
def index() -> Any:
    """Show a page of the UKMs that match `q`."""
    q = request.args.get("q", "").strip()
    found = directory.search(current_account().id, q, whole_number("page") or 1)
    if wants_json():
        entries = [entry.as_json() for entry in found.items]
        return jsonify({**page_numbers(found), "ukms": entries})
    return render_template("ukm/directory.html", page=found, q=q)


@bp.post("/<code>/request")
@logged_in
@limited(ASKING)
def ask(code: str) -> Any:
    """Ask to join."""
    try:
        ukm = join_requests.ask(current_account().id, code)
    except Conflict as error:
        return redirect_with_error(error, PAGE)
    notice = _("Permintaan bergabung ke %(name)s dikirim.", name=ukm.name)
    return redirect_or_json(PAGE, {"ukm": code, "state": "asked"}, notice=notice)


@bp.post("/<code>/request/withdraw")
@logged_in
def withdraw(code: str) -> Any:
    """Withdraw a request to join."""
    try:
        join_requests.withdraw(current_account().id, code)
    except NotFound as error:
        return redirect_with_error(error, PAGE)
    answer = {"ukm": code, "state": "none"}
    return redirect_or_json(PAGE, answer, notice=_("Permintaan bergabung ditarik."))
