"""A UKM's members: the list, and what its admins can do with a member."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request
from flask_babel import lazy_gettext as _

from myukm.domain.ukm import authorization, members, moderation
from myukm.domain.ukm import state as ukm_state
from myukm.errors import DomainError, NotFound
from myukm.models import Membership
from myukm.web.http.access import wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import whole_number
from myukm.web.ukm.access import base_url, current_actor, member_or_admin, page_context, readable

bp = Blueprint("ukm_members", __name__)


class Removal(msgspec.Struct):
    """Whether a member who is put out may not come back."""

    block: bool = False


class Mute(msgspec.Struct):
    """How long, or until when, a member may only read."""

    duration: str = msgspec.field(default="", name="for")
    until: str = ""


@bp.get("/members")
@member_or_admin
def index(code: str) -> Any:
    """Show a page of members whose name matches `q`."""
    ukm, is_manager = readable(code)
    q = request.args.get("q", "").strip()
    found = members.search(ukm, q, whole_number("page") or 1, by_nim=is_manager)
    if wants_json():
        people = [member.as_json(to_manager=is_manager) for member in found.items]
        return jsonify({**page_numbers(found), "members": people})
    shown = page_context(ukm, is_manager=is_manager)
    return render_template("ukm/members.html", page=found, q=q, **shown)


@bp.get("/members/<int:user_id>")
@member_or_admin
def show(code: str, user_id: int) -> Any:
    """Show a manager the actions on a member."""
    return member_page(code, user_id)


def member_page(code: str, user_id: int, **more: Any) -> str:
    """Render the page; `more` holds the error of a refused change."""
    ukm = authorization.authorize_read(current_actor(), code)
    member = members.find(ukm, user_id)
    if member is None:
        raise NotFound(_("Orang ini bukan anggota UKM ini."), code="no_such_member")
    shown = page_context(ukm, is_manager=True)
    return render_template(
        "ukm/member.html", member=member, me_id=current_actor().user_id, **shown, **more
    )


@bp.post("/members/<int:user_id>/remove")
@member_or_admin
@takes(Removal)
def remove(code: str, user_id: int, sent: Removal) -> Any:
    """Remove a member; `block` also prevents joining again."""
    moderation.remove(current_actor(), code, user_id, block=sent.block)
    return redirect_or_json(f"{base_url(code)}/members")


@bp.post("/members/<int:user_id>/unblock")
@member_or_admin
def unblock(code: str, user_id: int) -> Any:
    """Remove a block, so that the person can join again."""
    moderation.unblock(current_actor(), code, user_id)
    return redirect_or_json(f"{base_url(code)}/manage")


@bp.post("/members/<int:user_id>/mute")
@member_or_admin
@takes(Mute)
def mute(code: str, user_id: int, sent: Mute) -> Any:
    """Mute a member, `for` 1h, 1d or 7d, or `until` a time."""
    try:
        until = moderation.mute_until(sent.duration, sent.until)
        return apply_and_redirect(moderation.mute, code, user_id, until)
    except DomainError as error:
        if wants_json() or error.status == NotFound.status:
            raise
        return member_page(code, user_id, problem=str(error)), error.status


@bp.post("/members/<int:user_id>/unmute")
@member_or_admin
def unmute(code: str, user_id: int) -> Any:
    """Unmute a member."""
    return apply_and_redirect(moderation.unmute, code, user_id)


@bp.post("/members/<int:user_id>/promote")
@member_or_admin
def promote(code: str, user_id: int) -> Any:
    """Promote a member to admin of the UKM."""
    return apply_and_redirect(moderation.promote, code, user_id)


@bp.post("/members/<int:user_id>/demote")
@member_or_admin
def demote(code: str, user_id: int) -> Any:
    """Demote an admin of the UKM to member."""
    return apply_and_redirect(moderation.demote, code, user_id)


def apply_and_redirect(
    change: Callable[..., Membership], code: str, user_id: int, *args: Any
) -> Any:
    """Apply a change and redirect to a page that the user may still see (or return JSON)."""
    membership = change(current_actor(), code, user_id, *args)
    page = f"{base_url(code)}/members"
    back = page if user_id == current_actor().user_id else f"{page}/{user_id}"
    return redirect_or_json(back, {"user_id": user_id, **ukm_state.rights(membership)})
