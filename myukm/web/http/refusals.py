"""Writes refused requests to the security log: wrong credentials, forbidden access, rate limits,
requests from other sites."""

from contextlib import suppress

from flask import Flask, Response, g, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from myukm.logs import security_log
from myukm.web.http.access import LoginRequired

# Calls that check a password or a code, with the prefix of their log events.
CREDENTIAL_CALLS = {
    "auth.log_in": "login",
    "register.sign_up": "register",
    "reset_password.reset": "reset",
    "ukm.join": "join",
    "join_link.show": "join",
    "join_link.join": "join",
    "my_bills.link": "link",
    "profile.password": "password",
    "profile.delete": "password",
}
# Statuses of these calls: the password or code was wrong (WRONG), or it was not checked (REFUSED).
WRONG = frozenset({401, 403, 404})
REFUSED = frozenset({400, 413, 429, 503})
# A 404 that hides a UKM from people who may not see it is logged as a refusal.
HIDDEN = frozenset({"no_such_ukm"})


def init_app(app: Flask) -> None:
    """Register the hook that sees every response."""
    app.after_request(record_refusal)


def record_refusal(response: Response) -> Response:
    """Log the response if it is a refusal, and return it."""
    code = g.get("refusal")
    if event := event_of(response.status_code, code):
        _find_account()
        target = security_log.target_id()
        security_log.record(event, status=response.status_code, code=code, target=target)
    return response


def event_of(status: int, code: str | None) -> str | None:
    """Return the log event for a response, None if it is not a refusal."""
    call = CREDENTIAL_CALLS.get(request.endpoint or "")
    if code == "cross_site":
        return code
    if code == LoginRequired.code:
        return None
    if call and status in WRONG:
        return f"{call}.failed"
    if call and status in REFUSED:
        return f"{call}.refused"
    if status == 403 or (status == 404 and code in HIDDEN):
        return "access.refused"
    return "rate.limited" if status == 429 else None


def _find_account() -> None:
    """Load the account of the cookie, if the request was refused before a view loaded it."""
    with suppress(SQLAlchemyError):
        _ = current_user.is_authenticated
