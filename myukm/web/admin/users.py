"""Accounts, for admins."""

from typing import Any

import msgspec
from flask import Blueprint, render_template, request, session, url_for
from flask_babel import gettext as _

from myukm.domain import account_blocking
from myukm.domain.accounts import administration, invitations
from myukm.domain.accounts.account_rules import normal_nim
from myukm.errors import DomainError
from myukm.models import Role, User
from myukm.web.http.access import ADMINS, actor, roles, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.notices import Undo
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
    """Render the page; `more` holds what was typed into a refused form, and its error."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "role", "status")}
    found = administration.search(page=whole_number("page") or 1, **chosen)
    return render_template(
        "admin/users/index.html",
        page=found,
        chosen=chosen,
        roles=list(Role),
        open_invitations=invitations.search_open(chosen["q"]),
        code=session.pop("one_time_code", None),
        **{"typed": {}, **more},
    )


def show_code(kind: str, nim: str, name: str, code: str, **more: Any) -> Any:
    """Redirect to the page, which shows a new one-time code once; a reload creates no second code.

    JSON callers get 201, the NIM, the code, and `more`.
    """
    if not wants_json():
        session["one_time_code"] = {"kind": kind, "nim": nim, "name": name, "code": code}
    answer = {**more, "nim": nim, "code": code}
    return redirect_or_json(url_for("admin_users.index"), answer, status=201)


@bp.post("/invitations")
@roles(*ADMINS)
@takes(Invitation)
def invite(sent: Invitation) -> Any:
    """Invite a NIM; the one-time code is shown only now."""
    nim = normal_nim(sent.nim)
    try:
        code = invitations.invite(actor(), nim, sent.name, sent.role)
    except DomainError as error:
        if wants_json():
            raise
        return render_list(problem=str(error), typed=msgspec.structs.asdict(sent)), error.status
    return show_code("register", nim, sent.name, code)


@bp.post("/invitations/<int:invitation_id>/renew")
@roles(*ADMINS)
def renew_invitation(invitation_id: int) -> Any:
    """Replace the code of an open invitation; the new one is shown only now."""
    invited, code = invitations.renew(actor(), invitation_id)
    return show_code("register", invited.nim, invited.name, code)


@bp.post("/invitations/<int:invitation_id>/withdraw")
@roles(*ADMINS)
def withdraw_invitation(invitation_id: int) -> Any:
    """Delete an open invitation; its code is void."""
    gone = invitations.withdraw(actor(), invitation_id)
    notice = _("Undangan %(name)s (%(nim)s) ditarik.", name=gone.name, nim=gone.nim)
    return redirect_or_json(url_for("admin_users.index"), notice=notice)


@bp.post("/<int:user_id>/role")
@roles(*ADMINS)
@takes(NewRole)
def role(user_id: int, sent: NewRole) -> Any:
    """Change an account's role."""
    before = administration.role_of(user_id)
    user = administration.set_role(actor(), user_id, sent.role)
    notice = _("%(name)s sekarang %(role)s.", name=user.name, role=_(user.role))
    return answer(user, notice, Undo(request.path, {"role": before}))


@bp.post("/<int:user_id>/block")
@roles(*ADMINS)
def block(user_id: int) -> Any:
    """Block an account and end its log-ins."""
    user = account_blocking.block(actor(), user_id)
    undo = Undo(url_for("admin_users.unblock", user_id=user_id))
    return answer(user, _("%(name)s diblokir.", name=user.name), undo)


@bp.post("/<int:user_id>/unblock")
@roles(*ADMINS)
def unblock(user_id: int) -> Any:
    """Unblock an account."""
    user = account_blocking.unblock(actor(), user_id)
    undo = Undo(url_for("admin_users.block", user_id=user_id))
    return answer(user, _("%(name)s tidak diblokir lagi.", name=user.name), undo)


@bp.post("/<int:user_id>/reset-code")
@roles(*ADMINS)
def reset_code(user_id: int) -> Any:
    """Create a one-time code for a forgotten password; it is shown only now."""
    user, code = administration.reset_code(actor(), user_id)
    return show_code("reset", user.nim, user.name, code, user_id=user.id)


@bp.post("/<int:user_id>/photo/remove")
@roles(*ADMINS)
def remove_photo(user_id: int) -> Any:
    """Delete an account's photo."""
    user = administration.remove_photo(actor(), user_id)
    return answer(user, _("Foto %(name)s dihapus.", name=user.name))


def answer(user: User, notice: str, undo: Undo | None = None) -> Any:
    """Redirect to the account in the list and say what was done, or return it as JSON."""
    account = {"user_id": user.id, "role": user.role, "blocked": bool(user.blocked_at)}
    return redirect_or_json(
        url_for("admin_users.index", q=user.nim), account, notice=notice, undo=undo
    )
