"""One-time codes and join codes, which people copy by hand."""

import base64
import hashlib
import hmac
import secrets

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.errors import Forbidden

# Without letters and digits that look alike (0 O, 1 I L).
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GROUP_LENGTH = 4


def new_code(groups: int = 3) -> str:
    """Return a random code such as `7KQM-XW3A-9TRB` (59 bits; two groups have 39)."""
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _n in range(GROUP_LENGTH)) for _g in range(groups)
    )


def digest(code: str) -> str:
    """Return the stored digest of a one-time code, ignoring case, blanks and hyphens.

    Keyed with SECRET_KEY, so that a stolen database is not enough to guess codes. The inner SHA-256
    is the digest that older versions stored, so that their open codes stayed valid.
    """
    plain = "".join(code.upper().replace("-", "").split())
    inner = hashlib.sha256(plain.encode(errors="replace")).hexdigest()
    key, message = str(current_app.config["SECRET_KEY"]).encode(), f"one-time code:{inner}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).decode()


def matches(stored: str, code: str) -> bool:
    """Return whether `code` has the digest `stored`."""
    return hmac.compare_digest(stored, digest(code))


def wrong_code() -> Forbidden:
    """Return the error for a wrong NIM or a wrong code: the same, so that it reveals no NIM."""
    return Forbidden(
        _("NIM atau kode salah, atau kodenya sudah kedaluwarsa. Minta kode baru kepada admin."),
        code="wrong_code",
    )
