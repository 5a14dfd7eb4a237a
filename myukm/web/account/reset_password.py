"""Password reset with the one-time code that an admin created."""

from typing import Any

import msgspec
from flask import Blueprint, render_template

from myukm.domain.accounts import accounts, password_reset
from myukm.domain.accounts.login_limits import limit_guesses
from myukm.errors import DomainError, Forbidden
from myukm.web.account.auth import form_again, start_session
from myukm.web.http.body import takes
from myukm.web.http.limits import caller_address, limit_short_body

bp = Blueprint("reset_password", __name__, url_prefix="/reset-password")
bp.before_request(limit_short_body)


class NewPassword(msgspec.Struct):
    """A new password and the one-time code."""

    nim: str
    code: str
    password: str


@bp.get("")
def form() -> str:
    """Show the form for the code."""
    return render_template("auth/reset_password.html", error=None)


@bp.post("")
@takes(NewPassword)
def reset(sent: NewPassword) -> Any:
    """Set a new password, end all log-ins of the account, and log in on this device."""
    try:
        with limit_guesses("reset", sent.nim, caller_address(), Forbidden):
            user = password_reset.redeem(sent.nim, sent.code, sent.password)
    except DomainError as error:
        return form_again("auth/reset_password.html", error, nim=sent.nim, code=sent.code)
    return start_session(accounts.open_session(user))
