"""The UKMs of a person: list, join, leave; what a member may ask of one."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from myukm.domain.chat import attendance, my_ukms, reports, ukm, ukm_state
from myukm.errors import NotFound
from myukm.rate_limits import attempt
from myukm.rate_log import Limit, claim
from myukm.web import unit
from myukm.web.access import json_call, logged_in, me, wants_json
from myukm.web.arguments import json_object, limit_body
from myukm.web.limits import limited

bp = Blueprint("ukm", __name__, url_prefix="/ukm")
bp.before_request(limit_body)
WRONG_CODES = Limit("join-code", 20, 3600)
REPORTS = Limit("report", 20, 60)
unit.mount(bp)


@bp.get("")
@logged_in
def index() -> str:
    """Show the reader's UKMs with what is new in each; `?arsip=1`: the archived ones."""
    archived = request.args.get("arsip") == "1"
    units = my_ukms.mine(me().id, archived=archived)
    online = attendance.counts([unit.id for unit in units])
    return render_template(
        "ukm/index.html",
        ukms=[{**unit._asdict(), "online_count": online[unit.id]} for unit in units],
        archived=archived,
        archive_size=my_ukms.count_archived(me().id),
    )


@bp.post("/join")
@logged_in
def join() -> Any:
    """Join by code; a script gets 200 and the UKM."""
    code = json_object().get("code")
    with attempt(claim(WRONG_CODES, str(me().id)), wrong=NotFound):
        joined = ukm.join(me().id, code)
    if wants_json():
        return jsonify({"code": joined.code, "name": joined.name})
    return redirect(url_for("chat.room", code=joined.code), 303)


@bp.post("/<code>/leave")
@json_call
@logged_in
def leave(code: str) -> Any:
    """Leave a UKM."""
    ukm.leave(me().id, code)
    return jsonify({})


@bp.get("/<code>/state")
@json_call
@logged_in
def state(code: str) -> Any:
    """Return what the chat's page must know of the UKM and of the reader's rights in it."""
    return jsonify(ukm_state.of(ukm.membership(me().id, code)))


@bp.post("/<code>/messages/<int:message_id>/report")
@json_call
@logged_in
@limited(REPORTS)
def report(code: str, message_id: int) -> Any:
    """Tell the UKM's admins of a message that should not stand there."""
    reports.report(me().id, code, message_id, json_object().get("reason"))
    return jsonify({"message_id": message_id}), 201
