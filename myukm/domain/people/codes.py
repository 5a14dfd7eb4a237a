"""One-time codes that people copy by hand: to register, or for a forgotten password."""

import hashlib
import hmac
import secrets

# No letter or digit that is read as another one.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GROUPS, GROUP_LENGTH = 3, 4


def new_code() -> str:
    """Return a fresh code such as `7KQM-XW3A-9TRB` (59 bits)."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def digest(code: str) -> str:
    """Return what is stored of a code; small letters, blanks and hyphens don't matter."""
    plain = "".join(code.upper().replace("-", "").split())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()


def is_behind(stored: str, code: str) -> bool:
    """Return whether `code` is the one whose digest is stored."""
    return hmac.compare_digest(stored, digest(code))
