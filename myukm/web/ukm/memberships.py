"""The user's UKMs: list, join, leave, state, report a message."""

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request, url_for

from myukm.domain.chat import addressees, reports
from myukm.domain.presence import presence_list
from myukm.domain.ukm import memberships, my_list
from myukm.domain.ukm import state as ukm_state
from myukm.errors import NotFound
from myukm.rate_limiting.limiter import attempt
from myukm.rate_limiting.local_log import Limit, claim
from myukm.web.http.access import current_account, json_view, logged_in
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import limited
from myukm.web.http.request_parsing import limit_body, whole_number
from myukm.web.ukm import routes
from myukm.web.ukm.access import member

bp = Blueprint("ukm", __name__, url_prefix="/ukm")
bp.before_request(limit_body)
WRONG_CODES = Limit("join-code", 20, 3600)
MENTIONS_PER_PAGE = 50
REPORTS = Limit("report", 20, 60)
routes.mount(bp, for_campus=False)


class JoinCode(msgspec.Struct):
    """The code that lets a person into a UKM."""

    code: str


class Report(msgspec.Struct):
    """Why a message is reported."""

    reason: str


@bp.get("")
@logged_in
def index() -> str:
    """Show the user's UKMs with unread counts; `?arsip=1`: the archived ones."""
    archived = request.args.get("arsip") == "1"
    ukms = my_list.list_for(current_account().id, archived=archived)
    online = presence_list.counts([ukm.id for ukm in ukms])
    return render_template(
        "ukm/index.html",
        ukms=[{**ukm._asdict(), "online_count": online[ukm.id]} for ukm in ukms],
        archived=archived,
        archive_size=my_list.count_archived(current_account().id),
    )


@bp.get("/mentions")
@logged_in
def mentions() -> str:
    """Show the messages that mention or reply to the user, newest first, before the id `before`."""
    before, one_more = whole_number("before"), MENTIONS_PER_PAGE + 1
    found = addressees.messages_for(current_account().id, before, one_more)
    shown = found[:MENTIONS_PER_PAGE]
    return render_template(
        "ukm/mentions.html", messages=shown, before=shown[-1].id if found[len(shown) :] else None
    )


@bp.post("/join")
@logged_in
@takes(JoinCode)
def join(sent: JoinCode) -> Any:
    """Join by code; JSON callers get 200 and the UKM."""
    with attempt(claim(WRONG_CODES, str(current_account().id)), wrong=NotFound):
        joined = memberships.join(current_account().id, sent.code)
    page = url_for("chat.room", code=joined.code)
    return redirect_or_json(page, {"code": joined.code, "name": joined.name})


@bp.post("/<code>/leave")
@json_view
@logged_in
def leave(code: str) -> Any:
    """Leave a UKM."""
    memberships.leave(current_account().id, code)
    return jsonify({})


@bp.get("/<code>/state")
@json_view
@logged_in
def state(code: str) -> Any:
    """Return the UKM and the user's rights in it, as the chat page needs them."""
    return jsonify(ukm_state.for_member(memberships.get_membership(current_account().id, code)))


@bp.post("/<code>/messages/<int:message_id>/report")
@json_view
@member
@limited(REPORTS)
@takes(Report)
def report(code: str, message_id: int, sent: Report) -> Any:
    """Report a message to the UKM's admins."""
    reports.report(current_account().id, code, message_id, sent.reason)
    return jsonify({"message_id": message_id}), 201
