"""Codes that people copy by hand: to register, for a forgotten password, to join a unit."""

import base64
import hashlib
import hmac
import secrets

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.errors import Forbidden

# No letter or digit that is read as another one.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GROUP_LENGTH = 4


def new_code(groups: int = 3) -> str:
    """Return a fresh code such as `7KQM-XW3A-9TRB` (59 bits; of two groups 39)."""
    drawn = (
        "".join(secrets.choice(ALPHABET) for _n in range(GROUP_LENGTH)) for _g in range(groups)
    )
    return "-".join(drawn)


def digest(code: str) -> str:
    """Return what is stored of a one-time code; small letters, blanks and hyphens don't matter.

    It depends on SECRET_KEY: the database alone is not enough to try codes. The SHA-256 inside is
    what was stored before the key came in, so that codes which were open then stayed good.
    """
    plain = "".join(code.upper().replace("-", "").split())
    inner = hashlib.sha256(plain.encode(errors="replace")).hexdigest()
    key, said = str(current_app.config["SECRET_KEY"]).encode(), f"one-time code:{inner}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, said, "sha256")).decode()


def matches(stored: str, code: str) -> bool:
    """Return whether `code` is the one whose digest is stored."""
    return hmac.compare_digest(stored, digest(code))


def wrong_code() -> Forbidden:
    """Return the one answer to everything that is wrong with NIM and code."""
    return Forbidden(
        _("NIM atau kode salah, atau kodenya sudah kedaluwarsa. Minta kode baru kepada admin."),
        code="wrong_code",
    )
