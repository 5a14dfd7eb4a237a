"""Browsers in which an account logged in before: guesses by strangers do not hold them up.

Such a browser keeps a mark, which only this server can make, for that account and its password.
So nothing is stored here, and a new password makes all marks worthless.
"""

import hmac
from collections.abc import Sequence

from flask import current_app

from myukm.models import User

MAX_MARKS = 10  # people share browsers


def mark(user: User) -> str:
    """Return what a browser keeps once the account has logged in there."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    said = f"device:{user.id}:{user.password_hash}".encode()
    return hmac.digest(key, said, "sha256").hex()[:32]


def add(marks: Sequence[str], user: User) -> list[str]:
    """Return the marks of a browser after the account logged in there, the newest first."""
    own = mark(user)
    return [own, *(other for other in marks if other != own)][:MAX_MARKS]


def is_known(marks: Sequence[str], user: User | None) -> bool:
    """Return whether the account logged in before in the browser with these marks."""
    if user is None or not marks:
        return False
    own = mark(user).encode()
    return any(hmac.compare_digest(own, other.encode()) for other in marks[:MAX_MARKS])
