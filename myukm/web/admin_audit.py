"""Who did what, for admins."""

from flask import Blueprint, render_template, request

from myukm.domain import audit
from myukm.web.access import ADMINS, roles
from myukm.web.arguments import whole_number

bp = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show a page of the trail that matches `q` and `action`, the newest first."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "action")}
    found = audit.trail(whole_number("page") or 1, **chosen)
    return render_template("admin/audit/index.html", page=found, chosen=chosen)
