"""UKMs, for admins."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from myukm.domain.chat import ukm_care, ukm_office, ukm_state
from myukm.domain.chat.ukm_desk import Officer
from myukm.errors import DomainError
from myukm.models import Ukm
from myukm.web import unit
from myukm.web.access import ADMINS, me, roles, wants_json
from myukm.web.arguments import limit_body, text_field

bp = Blueprint("admin_ukm", __name__, url_prefix="/admin/ukm")
bp.before_request(limit_body)
unit.mount(bp)


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show the UKMs in use (`?arsip=1`: the archived ones) and the form for a new one."""
    return listing()


def listing(**more: Any) -> str:
    """Return the page; `more` is what was typed and why it was refused."""
    archived = request.args.get("arsip") == "1"
    return render_template(
        "admin/ukm/index.html",
        ukms=ukm_office.everything(archived=archived),
        archived=archived,
        **{"problem": None, "values": {}, **more},
    )


@bp.post("")
@roles(*ADMINS)
def create() -> Any:
    """Make a UKM; a script gets 201."""
    values = {name: text_field(name) for name in ("name", "code", "description")}
    try:
        made = ukm_office.create(**values, by=me().name, by_id=me().id)
    except DomainError as error:
        if wants_json():
            raise
        return listing(problem=str(error), values=values), error.status
    if wants_json():
        return jsonify({"code": made.code, "name": made.name, "join_code": made.join_code}), 201
    return redirect(url_for("admin_ukm.index"), 303)


@bp.post("/<code>/archive")
@roles(*ADMINS)
def archive(code: str) -> Any:
    """Let a UKM only be read from now on."""
    return filed(ukm_care.archive, code)


@bp.post("/<code>/restore")
@roles(*ADMINS)
def restore(code: str) -> Any:
    """Put an archived UKM into use again."""
    return filed(ukm_care.restore, code)


def filed(change: Callable[[Officer, str], Ukm], code: str) -> Any:
    """Make the change and show the UKM's page again, or answer what it is to a script."""
    changed = change(Officer(me().id, me().name, campus=True), code)
    if wants_json():
        return jsonify(ukm_state.describe(changed))
    return redirect(f"/admin/ukm/{changed.code}/manage", 303)
