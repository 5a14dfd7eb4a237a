"""Registering: by a one-time code, openly, or not at all, as the campus has it."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from myukm.domain.people import accounts, invitations
from myukm.errors import DomainError, Forbidden
from myukm.extensions import limiter
from myukm.models import Role, User
from myukm.web.access import wants_json
from myukm.web.arguments import limit_body
from myukm.web.auth import enter, field, safe_next

bp = Blueprint("register", __name__, url_prefix="/register")
bp.before_request(limit_body)


def _refused(response: Response) -> bool:
    return response.status_code in (403, 409)


@bp.get("")
def form() -> Any:
    """Show the registration form."""
    refuse_when_closed()
    if current_user.is_authenticated:
        return redirect(safe_next())
    return render_template("auth/register.html", error=None)


@bp.post("")
@limiter.limit("10 per minute", key_func=lambda: f"code:{field('nim')}", deduct_when=_refused)
@limiter.limit("200 per minute", deduct_when=_refused)
def sign_up() -> Any:
    """Make an account by its one-time code, or openly, and log its owner in."""
    refuse_when_closed()
    try:
        user = new_account()
    except DomainError as error:
        if wants_json():
            raise
        typed = {name: field(name) for name in ("nim", "name", "code")}
        return render_template("auth/register.html", error=str(error), **typed), error.status
    return enter(accounts.open_session(user))


def refuse_when_closed() -> None:
    """Raise `Forbidden` where nobody registers by themselves."""
    if current_app.config["REGISTRATION"] == "closed":
        raise Forbidden(_("Pendaftaran ditutup. Hubungi admin kampus."), code="registration_closed")


def new_account() -> User:
    """Return the account that the form asks for, made as the campus allows it."""
    nim, password = field("nim"), field("password")
    if current_app.config["REGISTRATION"] == "open":
        return accounts.create(nim, field("name"), Role.ANGGOTA, password, by=None)
    return invitations.register(nim, field("code"), password)
