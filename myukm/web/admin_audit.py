"""Who did what, for admins."""

from flask import Blueprint, render_template

from myukm.domain import audit
from myukm.web.access import ADMINS, roles
from myukm.web.arguments import whole_number

bp = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show a page of the trail, the newest first."""
    return render_template("admin/audit/index.html", page=audit.trail(whole_number("page") or 1))
