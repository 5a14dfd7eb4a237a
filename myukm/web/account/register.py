"""Registration: by one-time code, open, or closed, according to the setting `REGISTRATION`."""

from typing import Any

import msgspec
from flask import Blueprint, current_app, redirect, render_template
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain.accounts import accounts, invitations
from myukm.domain.accounts.login_limits import limit_guesses, limit_registrations
from myukm.errors import Conflict, DomainError, Forbidden
from myukm.models import Role, User
from myukm.web.account.auth import form_again, safe_next, start_session
from myukm.web.http.body import takes
from myukm.web.http.limits import caller_address, limit_short_body

bp = Blueprint("register", __name__, url_prefix="/register")
bp.before_request(limit_short_body)


class Registration(msgspec.Struct):
    """A registration: with the invitation's `code`, or with a `name` if registration is open."""

    nim: str
    password: str
    name: str = ""
    code: str = ""


@bp.get("")
def form() -> Any:
    """Show the registration form."""
    refuse_when_closed()
    if current_user.is_authenticated:
        return redirect(safe_next())
    return render_template("auth/register.html", error=None)


@bp.post("")
@takes(Registration)
def sign_up(sent: Registration) -> Any:
    """Create an account and log its owner in."""
    refuse_when_closed()
    try:
        with limit_guesses("register", sent.nim, caller_address(), Forbidden, Conflict):
            user = new_account(sent)
    except DomainError as error:
        typed = {"nim": sent.nim, "name": sent.name, "code": sent.code}
        return form_again("auth/register.html", error, **typed)
    return start_session(accounts.open_session(user))


def refuse_when_closed() -> None:
    """Raise `Forbidden` if registration is closed."""
    if current_app.config["REGISTRATION"] == "closed":
        raise Forbidden(_("Pendaftaran ditutup. Hubungi admin kampus."), code="registration_closed")


def new_account(sent: Registration) -> User:
    """Create the account: by one-time code if invitations are required, else openly."""
    if current_app.config["REGISTRATION"] == "open":
        with limit_registrations(caller_address()):
            return accounts.create(sent.nim, sent.name, Role.ANGGOTA, sent.password, by=None)
    return invitations.register(sent.nim, sent.code, sent.password)
