"""Accounts, for admins."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request, url_for

from myukm.domain.accounts import administration, invitations
from myukm.domain.accounts.account_rules import normal_nim
from myukm.errors import DomainError
from myukm.models import Role, User
from myukm.web.http.access import ADMINS, current_account, roles, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import limit_body, whole_number

bp = Blueprint("admin_users", __name__, url_prefix="/admin/users")
bp.before_request(limit_body)


class Invitation(msgspec.Struct):
    """Who may register, and as what."""

    nim: str
    name: str
    role: str


class NewRole(msgspec.Struct):
    """The role that an account gets."""

    role: str


@bp.get("")
@roles(*ADMINS)
def index() -> Any:
    """Show a page of accounts that match `q`, `role` and `status`."""
    return render_list()


def render_list(**more: Any) -> str:
    """Render the page; `more` holds a new one-time code, or the error of a refused form."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "role", "status")}
    found = administration.search(page=whole_number("page") or 1, **chosen)
    return render_template(
        "admin/users/index.html", page=found, chosen=chosen, roles=list(Role), **more
    )


@bp.post("/invitations")
@roles(*ADMINS)
@takes(Invitation)
def invite(sent: Invitation) -> Any:
    """Invite a NIM; the one-time code is shown only now."""
    nim = normal_nim(sent.nim)
    try:
        code = invitations.invite(current_account(), nim, sent.name, sent.role)
    except DomainError as error:
        if wants_json():
            raise
        return render_list(problem=str(error)), error.status
    if wants_json():
        return jsonify({"nim": nim, "code": code}), 201
    return render_list(invited={"nim": nim, "code": code}), 201


@bp.post("/<int:user_id>/role")
@roles(*ADMINS)
@takes(NewRole)
def role(user_id: int, sent: NewRole) -> Any:
    """Change an account's role."""
    return apply_and_render(administration.set_role, user_id, sent.role)


@bp.post("/<int:user_id>/block")
@roles(*ADMINS)
def block(user_id: int) -> Any:
    """Block an account and end its log-ins."""
    return apply_and_render(administration.block, user_id)


@bp.post("/<int:user_id>/unblock")
@roles(*ADMINS)
def unblock(user_id: int) -> Any:
    """Unblock an account."""
    return apply_and_render(administration.unblock, user_id)


@bp.post("/<int:user_id>/reset-code")
@roles(*ADMINS)
def reset_code(user_id: int) -> Any:
    """Create a one-time code for a forgotten password; it is shown only now."""
    user, code = administration.reset_code(current_account(), user_id)
    if wants_json():
        return jsonify({"user_id": user.id, "nim": user.nim, "code": code}), 201
    return render_list(reset={"nim": user.nim, "name": user.name, "code": code}), 201


@bp.post("/<int:user_id>/photo/remove")
@roles(*ADMINS)
def remove_photo(user_id: int) -> Any:
    """Delete an account's photo."""
    return apply_and_render(administration.remove_photo, user_id)


def apply_and_render(change: Callable[..., User], user_id: int, *args: str) -> Any:
    """Apply a change and redirect to the list, or return the account as JSON."""
    user = change(current_account(), user_id, *args)
    answer = {"user_id": user.id, "role": user.role, "blocked": bool(user.blocked_at)}
    return redirect_or_json(url_for("admin_users.index", q=user.nim), answer)
