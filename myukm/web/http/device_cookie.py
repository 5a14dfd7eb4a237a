"""The cookie with the marks of accounts that logged in on this browser (`accounts/devices.py`)."""

from collections.abc import Sequence

from flask import current_app, request
from werkzeug.wrappers import Response

from myukm.domain.accounts import devices
from myukm.models import User

COOKIE, MAX_AGE_SECONDS = "myukm_devices", 365 * 86_400


def marks() -> Sequence[str]:
    """Return the marks in the browser's cookie."""
    sent = request.cookies.get(COOKIE, "").split(".", devices.MAX_MARKS)
    return [mark for mark in sent[: devices.MAX_MARKS] if mark]


def remember(answer: Response, user: User) -> Response:
    """Add the account's mark to the browser's cookie and return `answer`.

    A mark is derived from the password, so every view that sets a password renews it.
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
