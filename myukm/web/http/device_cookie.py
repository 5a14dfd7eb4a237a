"""The cookie with the marks of the accounts that logged in in this browser (`devices.py`)."""

from collections.abc import Sequence

from flask import current_app, request
from werkzeug.wrappers import Response

from myukm.domain.accounts import devices
from myukm.models import User

COOKIE, MAX_AGE_SECONDS = "myukm_devices", 365 * 86_400


def marks() -> Sequence[str]:
    """Return the marks that the browser has."""
    sent = request.cookies.get(COOKIE, "").split(".", devices.MAX_MARKS)
    return [mark for mark in sent[: devices.MAX_MARKS] if mark]


def remember(answer: Response, user: User) -> Response:
    """Give the browser the account's mark, beside those that it has.

    The mark goes with the password, so it is renewed wherever one is set: not at /login alone.
    """
    answer.set_cookie(
        COOKIE,
        ".".join(devices.add(marks(), user)),
        max_age=MAX_AGE_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer
