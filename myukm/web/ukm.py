"""The UKMs of a person: list, join, leave."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, url_for

from myukm.domain.chat import attendance, ukm
from myukm.extensions import limiter
from myukm.web.access import json_call, logged_in, me, wants_json
from myukm.web.arguments import json_object, limit_body

bp = Blueprint("ukm", __name__, url_prefix="/ukm")
bp.before_request(limit_body)


@bp.get("")
@logged_in
def index() -> str:
    """Show the reader's UKMs with what is new in each."""
    units = ukm.mine(me().id)
    online = attendance.counts([unit.id for unit in units])
    rows = [{**unit._asdict(), "online_count": online[unit.id]} for unit in units]
    return render_template("ukm/index.html", ukms=rows)


@bp.post("/join")
@logged_in
@limiter.limit("30 per minute", key_func=lambda: f"join:{me().id}")
def join() -> Any:
    """Join by code; a script gets 200 and the UKM."""
    joined = ukm.join(me().id, json_object().get("code"))
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
