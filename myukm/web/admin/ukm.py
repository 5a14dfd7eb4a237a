"""UKMs, for admins."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request, url_for
from flask_babel import gettext as _

from myukm.domain.actor import Actor
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import settings as ukm_settings
from myukm.domain.ukm import state as ukm_state
from myukm.errors import DomainError
from myukm.models import Ukm
from myukm.web.http.access import ADMINS, actor, roles, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.notices import Undo
from myukm.web.http.request_parsing import limit_body
from myukm.web.ukm import routes

bp = Blueprint("admin_ukm", __name__, url_prefix="/admin/ukm")
bp.before_request(limit_body)
routes.mount(bp, for_campus=True)


class NewUkm(msgspec.Struct):
    """A UKM to create."""

    name: str
    code: str
    description: str = ""


@bp.get("")
@roles(*ADMINS)
def index() -> str:
    """Show the active UKMs (`?arsip=1`: the archived ones) and the form for a new one."""
    return render_list()


def render_list(**more: Any) -> str:
    """Render the page; `more` holds the typed values and the error of a refused form."""
    archived = request.args.get("arsip") == "1"
    return render_template(
        "admin/ukm/index.html",
        ukms=ukm_administration.list_all(archived=archived),
        archived=archived,
        **{"problem": None, "values": {}, **more},
    )


@bp.post("")
@roles(*ADMINS)
@takes(NewUkm)
def create(sent: NewUkm) -> Any:
    """Create a UKM; 201 for JSON callers."""
    values = msgspec.structs.asdict(sent)
    try:
        made = ukm_administration.create(**values, by=actor())
    except DomainError as error:
        if wants_json():
            raise
        return render_list(problem=str(error), values=values), error.status
    if wants_json():
        return jsonify({"code": made.code, "name": made.name, "join_code": made.join_code}), 201
    notice = _("UKM %(name)s dibuat. Kode gabungnya: %(code)s", name=made.name, code=made.join_code)
    return redirect_or_json(url_for("admin_ukm.index"), notice=notice)


@bp.post("/<code>/archive")
@roles(*ADMINS)
def archive(code: str) -> Any:
    """Archive a UKM: it becomes read-only."""
    undo = Undo(url_for("admin_ukm.restore", code=code))
    return apply_and_render(ukm_settings.archive, code, _("%(name)s diarsipkan."), undo)


@bp.post("/<code>/restore")
@roles(*ADMINS)
def restore(code: str) -> Any:
    """Unarchive a UKM."""
    undo = Undo(url_for("admin_ukm.archive", code=code))
    return apply_and_render(ukm_settings.unarchive, code, _("%(name)s aktif lagi."), undo)


def apply_and_render(
    change: Callable[[Actor, str], Ukm], code: str, notice: str, undo: Undo
) -> Any:
    """Apply a change and redirect to the UKM's page, or return its state as JSON."""
    changed = change(actor()._replace(campus=True), code)
    page = f"/admin/ukm/{changed.code}/manage"
    notice = notice % {"name": changed.name}
    return redirect_or_json(page, ukm_state.describe(changed), notice=notice, undo=undo)
