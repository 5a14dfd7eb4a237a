"""A forgotten password: a new one by the one-time code that an admin gave."""

from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from myukm.domain.people import accounts, password_reset
from myukm.errors import DomainError
from myukm.extensions import limiter
from myukm.web.access import wants_json
from myukm.web.arguments import limit_body
from myukm.web.auth import enter, field

bp = Blueprint("reset_password", __name__, url_prefix="/reset-password")
bp.before_request(limit_body)


def _refused(response: Response) -> bool:
    return response.status_code == 403


@bp.get("")
def form() -> str:
    """Show where to type the code."""
    return render_template("auth/reset_password.html", error=None)


@bp.post("")
@limiter.limit("10 per minute", key_func=lambda: f"reset:{field('nim')}", deduct_when=_refused)
@limiter.limit("200 per minute", deduct_when=_refused)
def reset() -> Any:
    """Set a new password by its code, log the account out everywhere and in here."""
    try:
        user = password_reset.redeem(field("nim"), field("code"), field("password"))
    except DomainError as error:
        if wants_json():
            raise
        typed = {name: field(name) for name in ("nim", "code")}
        return render_template("auth/reset_password.html", error=str(error), **typed), error.status
    return enter(accounts.open_session(user))
