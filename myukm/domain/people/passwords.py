"""Password hashing with argon2id."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from myukm.domain.people.aside import aside

HASHER = PasswordHasher()


@cache
def nobodys() -> str:
    """Return what is verified when there is no such account: both answers take the same time."""
    return hash_password("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store."""
    return aside(HASHER.hash, password)


def matches(stored: str | None, password: str) -> bool:
    """Return whether `password` is the one behind `stored` (None or "": there is none)."""
    return aside(_verify, stored or nobodys(), password) and bool(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except VerificationError:
        return False
