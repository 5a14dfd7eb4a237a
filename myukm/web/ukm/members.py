"""A UKM's members: the list, and what its admins can do with a member."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.domain.ukm import authorization, members, moderation
from myukm.domain.ukm import state as ukm_state
from myukm.errors import DomainError, Forbidden, NotFound
from myukm.extensions import db
from myukm.models import Membership, User
from myukm.web.http.access import wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.notices import Undo
from myukm.web.http.request_parsing import whole_number
from myukm.web.http.template_filters import saat
from myukm.web.ukm.access import (
    base_url,
    current_actor,
    member_or_admin,
    page_context,
    readable,
    redirect_with_error,
)

bp = Blueprint("ukm_members", __name__)


class Removal(msgspec.Struct):
    """Whether a removed member is also blocked from joining again."""

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
    ukm = authorization.authorize_manager(current_actor(), code)
    member = members.find(ukm, user_id)
    if member is None:
        raise NotFound(_("Orang ini bukan anggota UKM ini."), code="no_such_member")
    shown = page_context(ukm, is_manager=True)
    return render_template(
        "ukm/member.html",
        member=member,
        own=user_id == current_actor().user_id,
        **{"problem": None, **shown, **more},
    )


@bp.post("/members/<int:user_id>/remove")
@member_or_admin
@takes(Removal)
def remove(code: str, user_id: int, sent: Removal) -> Any:
    """Remove a member; `block` also prevents joining again."""
    try:
        moderation.remove(current_actor(), code, user_id, block=sent.block)
    except DomainError as error:
        return refused(code, user_id, error)
    notice = _("%(name)s diblokir dari UKM ini.") if sent.block else _("%(name)s dikeluarkan.")
    undo = Undo(f"{base_url(code)}/members/{user_id}/take-back")
    notice = notice % {"name": name_of(user_id)}
    return redirect_or_json(f"{base_url(code)}/members", notice=notice, undo=undo)


@bp.post("/members/<int:user_id>/take-back")
@member_or_admin
def take_back(code: str, user_id: int) -> Any:
    """Undo the user's own removal of a member, within `moderation.UNDO_SECONDS`."""
    moderation.undo_removal(current_actor(), code, user_id)
    notice = _("%(name)s anggota lagi.", name=name_of(user_id))
    return redirect_or_json(f"{base_url(code)}/members", notice=notice)


@bp.post("/members/<int:user_id>/unblock")
@member_or_admin
def unblock(code: str, user_id: int) -> Any:
    """Remove a block, so that the person can join again."""
    page = f"{base_url(code)}/manage"
    try:
        moderation.unblock(current_actor(), code, user_id)
    except NotFound as error:
        return redirect_with_error(error, page, "not_blocked")
    return redirect_or_json(page, notice=_("%(name)s tidak diblokir lagi.", name=name_of(user_id)))


@bp.post("/members/<int:user_id>/mute")
@member_or_admin
@takes(Mute)
def mute(code: str, user_id: int, sent: Mute) -> Any:
    """Mute a member, `for` 1h, 1d or 7d, or `until` a time."""
    earlier = muted_until(code, user_id)
    try:
        until = moderation.mute_until(sent.duration, sent.until)
    except DomainError as error:
        return refused(code, user_id, error)
    notice = _("%(name)s dibisukan sampai %(until)s.")
    page = f"{base_url(code)}/members/{user_id}"
    undo = Undo(f"{page}/mute", {"until": earlier}) if earlier else Undo(f"{page}/unmute")
    return change_member(moderation.mute, code, user_id, until, notice=notice, undo=undo)


def muted_until(code: str, user_id: int) -> str | None:
    """Return until when a member is muted (ISO 8601), None if not. Raises as
    `authorize_manager`."""
    member = members.find(authorization.authorize_manager(current_actor(), code), user_id)
    return to_iso8601(member.muted_until) if member and member.muted else None


@bp.post("/members/<int:user_id>/unmute")
@member_or_admin
def unmute(code: str, user_id: int) -> Any:
    """Unmute a member."""
    return change_member(moderation.unmute, code, user_id, notice=_("%(name)s boleh menulis lagi."))


@bp.post("/members/<int:user_id>/promote")
@member_or_admin
def promote(code: str, user_id: int) -> Any:
    """Promote a member to admin of the UKM.

    For a muted member there is no undo, because the promotion also unmutes.
    """
    is_muted = muted_until(code, user_id) is not None
    undo = None if is_muted else Undo(f"{base_url(code)}/members/{user_id}/demote")
    notice = _("%(name)s sekarang pengurus.")
    return change_member(moderation.promote, code, user_id, notice=notice, undo=undo)


@bp.post("/members/<int:user_id>/demote")
@member_or_admin
def demote(code: str, user_id: int) -> Any:
    """Demote an admin of the UKM to member."""
    is_own = user_id == current_actor().user_id and not current_actor().campus
    undo = None if is_own else Undo(f"{base_url(code)}/members/{user_id}/promote")
    notice = _("%(name)s bukan pengurus lagi.")
    return change_member(moderation.demote, code, user_id, notice=notice, undo=undo)


def change_member(
    change: Callable[..., Membership],
    code: str,
    user_id: int,
    *args: Any,
    notice: str,
    undo: Undo | None = None,
) -> Any:
    """Apply a change, and redirect to a page that the user may still see (or return JSON)."""
    try:
        membership = change(current_actor(), code, user_id, *args)
    except DomainError as error:
        return refused(code, user_id, error)
    page = f"{base_url(code)}/members"
    back = page if user_id == current_actor().user_id else f"{page}/{user_id}"
    until = membership.muted_until
    values = {"name": membership.user.name, "until": saat(until) if until else ""}
    answer = {"user_id": user_id, **ukm_state.rights(membership)}
    return redirect_or_json(back, answer, notice=str(notice) % values, undo=undo)


def refused(code: str, user_id: int, error: DomainError) -> Any:
    """Render the member's page with the error. For JSON callers, and if the user may not see that
    page, the error is raised again."""
    if wants_json() or error.status in (Forbidden.status, NotFound.status):
        raise error
    return member_page(code, user_id, problem=str(error)), error.status


def name_of(user_id: int) -> str:
    """Return an account's name."""
    return db.session.get_one(User, user_id).name
