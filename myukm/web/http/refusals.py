"""Every refusal goes into the security log, whichever view or guard it comes from."""

from contextlib import suppress

from flask import Flask, Response, g, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from myukm import security_log

# Calls that take a password or a code, and what a wrong one is called in the log.
CREDENTIAL_CALLS = {
    "auth.log_in": "login",
    "register.sign_up": "register",
    "reset_password.reset": "reset",
    "ukm.join": "join",
    "profile.password": "password",
    "profile.delete": "password",
}
WRONG = frozenset({401, 403, 404})
REFUSED = frozenset({400, 413, 429, 503})
# To a stranger a unit is not there; in the log it is a refusal.
HIDDEN = frozenset({"no_such_ukm"})


def init_app(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(record_refusal)


def record_refusal(response: Response) -> Response:
    """Write a line when this answer refuses something."""
    code = g.get("refusal")
    if event := event_of(response.status_code, code):
        _find_account()
        target = g.get("target_id")
        security_log.record(event, status=response.status_code, code=code, target=target)
    return response


def event_of(status: int, code: str | None) -> str | None:
    """Return what to call an answer with this status in the log; None when it refuses nothing."""
    call = CREDENTIAL_CALLS.get(request.endpoint or "")
    if code == "cross_site":
        return code
    if call and status in WRONG:
        return f"{call}.failed"
    if call and status in REFUSED:
        return f"{call}.refused"
    if status == 403 or (status == 404 and code in HIDDEN):
        return "access.refused"
    return "rate.limited" if status == 429 else None


def _find_account() -> None:
    """Find out whose cookie came along, when no view got so far."""
    with suppress(SQLAlchemyError):
        _ = current_user.is_authenticated
