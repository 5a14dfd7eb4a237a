"""A UKM's members: the list that each of them sees, and what its officers do about one."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import lazy_gettext as _

from myukm.domain.chat import members, moderation, ukm_desk, ukm_state
from myukm.errors import DomainError, NotFound
from myukm.models import Membership
from myukm.web.access import wants_json
from myukm.web.arguments import json_object, whole_number
from myukm.web.unit_access import base, done, frame, numbers, officer, readable, readers, ticked

bp = Blueprint("unit_members", __name__)


@bp.get("/members")
@readers
def index(code: str) -> Any:
    """Show a page of the members whose name matches `q`."""
    unit, is_officer = readable(code)
    q = request.args.get("q", "").strip()
    found = members.search(unit, q, whole_number("page") or 1, by_nim=is_officer)
    if wants_json():
        people = [member.as_json(to_officer=is_officer) for member in found.items]
        return jsonify({**numbers(found), "members": people})
    shown = frame(unit, is_officer=is_officer)
    return render_template("ukm/members.html", page=found, q=q, **shown)


@bp.get("/members/<int:user_id>")
@readers
def show(code: str, user_id: int) -> Any:
    """Show an officer what can be done about a member."""
    return member_page(code, user_id)


def member_page(code: str, user_id: int, **more: Any) -> str:
    """Return the page; `more` is why a change was refused."""
    unit = ukm_desk.visit(officer(), code)
    member = members.find(unit, user_id)
    if member is None:
        raise NotFound(_("Orang ini bukan anggota UKM ini."), code="no_such_member")
    shown = frame(unit, is_officer=True)
    return render_template(
        "ukm/member.html", member=member, me_id=officer().user_id, **shown, **more
    )


@bp.post("/members/<int:user_id>/remove")
@readers
def remove(code: str, user_id: int) -> Any:
    """Put a member out, and keep them out when `block` is set."""
    moderation.remove(officer(), code, user_id, block=ticked("block"))
    return done(f"{base(code)}/members")


@bp.post("/members/<int:user_id>/unblock")
@readers
def unblock(code: str, user_id: int) -> Any:
    """Let a blocked person join again."""
    moderation.unblock(officer(), code, user_id)
    return done(f"{base(code)}/manage")


@bp.post("/members/<int:user_id>/mute")
@readers
def mute(code: str, user_id: int) -> Any:
    """Let a member only read: `for` 1h, 1d, 7d, or `until` a moment."""
    wish = json_object()
    try:
        until = moderation.moment(wish.get("for"), wish.get("until"))
        return changed(moderation.mute, code, user_id, until)
    except DomainError as error:
        if wants_json() or error.status == NotFound.status:
            raise
        return member_page(code, user_id, problem=str(error)), error.status


@bp.post("/members/<int:user_id>/unmute")
@readers
def unmute(code: str, user_id: int) -> Any:
    """Let a member write again."""
    return changed(moderation.unmute, code, user_id)


@bp.post("/members/<int:user_id>/promote")
@readers
def promote(code: str, user_id: int) -> Any:
    """Make a member an admin of the UKM."""
    return changed(moderation.promote, code, user_id)


@bp.post("/members/<int:user_id>/demote")
@readers
def demote(code: str, user_id: int) -> Any:
    """Make an admin of the UKM a plain member."""
    return changed(moderation.demote, code, user_id)


def changed(change: Callable[..., Membership], code: str, user_id: int, *args: Any) -> Any:
    """Make a change; a form comes back to where its reader may still look."""
    place = change(officer(), code, user_id, *args)
    page = f"{base(code)}/members"
    back = page if user_id == officer().user_id else f"{page}/{user_id}"
    return done(back, {"user_id": user_id, **ukm_state.rights(place)})
