"""Registration: by one-time code, open, or closed, as the setting `REGISTRATION` says."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain.accounts import accounts, invitations
from myukm.domain.accounts.login_limits import guess, one_more_account
from myukm.errors import Conflict, DomainError, Forbidden
from myukm.models import Role, User
from myukm.web.account.auth import field, form_again, safe_next, start_session
from myukm.web.http.limits import caller_address, limit_auth_body

bp = Blueprint("register", __name__, url_prefix="/register")
bp.before_request(limit_auth_body)


@bp.get("")
def form() -> Any:
    """Show the registration form."""
    refuse_when_closed()
    if current_user.is_authenticated:
        return redirect(safe_next())
    return render_template("auth/register.html", error=None)


@bp.post("")
def sign_up() -> Any:
    """Create an account and log its owner in."""
    refuse_when_closed()
    try:
        with guess("register", field("nim"), caller_address(), Forbidden, Conflict):
            user = new_account()
    except DomainError as error:
        return form_again("auth/register.html", error, "nim", "name", "code")
    return start_session(accounts.open_session(user))


def refuse_when_closed() -> None:
    """Raise `Forbidden` if registration is closed."""
    if current_app.config["REGISTRATION"] == "closed":
        raise Forbidden(_("Pendaftaran ditutup. Hubungi admin kampus."), code="registration_closed")


def new_account() -> User:
    """Create the account: by one-time code if invitations are required, else openly."""
    nim, password = field("nim"), field("password")
    if current_app.config["REGISTRATION"] == "open":
        with one_more_account(caller_address()):
            return accounts.create(nim, field("name"), Role.ANGGOTA, password, by=None)
    return invitations.register(nim, field("code"), password)
