"""UKMs, for admins."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, url_for

from myukm.domain.chat import ukm_office
from myukm.errors import DomainError
from myukm.web.access import ADMINS, me, roles, wants_json
from myukm.web.arguments import limit_body, text_field

bp = Blueprint("admin_ukm", __name__, url_prefix="/admin/ukm")
bp.before_request(limit_body)
FIELDS = ("name", "code", "description")


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show all UKMs and the form for a new one."""
    return render_template(
        "admin/ukm/index.html", ukms=ukm_office.everything(), problem=None, values={}
    )


@bp.post("")
@roles(*ADMINS)
def create() -> Any:
    """Make a UKM; a script gets 201."""
    values = {name: text_field(name) for name in FIELDS}
    try:
        made = ukm_office.create(**values, by=me().name)
    except DomainError as error:
        if wants_json():
            raise
        again = {"ukms": ukm_office.everything(), "problem": str(error), "values": values}
        return render_template("admin/ukm/index.html", **again), error.status
    if wants_json():
        return jsonify({"code": made.code, "name": made.name, "join_code": made.join_code}), 201
    return redirect(url_for("admin_ukm.index"), 303)
