"""Known browsers. Log-in attempts from a browser in which the account has logged in before have a
rate limit of their own, so that a stranger's guesses do not lock the owner out.

A known browser has a mark in a cookie: an HMAC of the account's id and its password hash. So the
server stores nothing, and a new password (or a new hash of the old one) voids all marks.
"""

import hmac
from collections.abc import Sequence

from flask import current_app

from myukm.models import User

MAX_MARKS = 10  # of one browser, which several people may share


def mark(user: User) -> str:
    """Return the mark for a browser in which the account has logged in."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    message = f"device:{user.id}:{user.password_hash}".encode()
    return hmac.digest(key, message, "sha256").hex()[:32]


def add(marks: Sequence[str], user: User) -> list[str]:
    """Return a browser's marks with the account's added, newest first."""
    own = mark(user)
    return [own, *(other for other in marks if other != own)][:MAX_MARKS]


def is_known(marks: Sequence[str], user: User | None) -> bool:
    """Return whether the marks contain the account's."""
    if user is None or not marks:
        return False
    own = mark(user).encode()
    return any(hmac.compare_digest(own, other.encode()) for other in marks[:MAX_MARKS])
