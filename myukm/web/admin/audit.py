"""The audit trail (the audited entries of `activity`), for admins."""

from flask import Blueprint, render_template, request

from myukm.domain import activity
from myukm.web.admin.audit_sentences import sentence
from myukm.web.http.access import ADMINS, roles
from myukm.web.http.request_parsing import form_number, whole_number

bp = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show a page of entries that match `q`, `action` and `actor` (an account's id)."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "action")}
    account = form_number("actor")
    found = activity.audit_page(whole_number("page") or 1, **chosen, actor_id=account)
    chosen |= {"actor": "" if account is None else str(account)}
    return render_template("admin/audit/index.html", page=found, chosen=chosen, sentence=sentence)
