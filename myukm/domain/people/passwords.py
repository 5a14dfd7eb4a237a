"""Password hashing with argon2id, a few at a time."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from myukm.domain.people.aside import Slots, aside, one_at_a_time

# One of the settings that OWASP holds for equally strong, and the one of them with which a crowd
# that logs in at once costs a small server 24 MB and not more.
HASHER = PasswordHasher(time_cost=3, memory_cost=12 * 1024, parallelism=1)
SLOTS = Slots(at_once=2, max_waiting=60)


@cache
def nobodys() -> str:
    """Return what is verified when there is no such account: both answers take the same time."""
    return HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store. Raises `Unavailable` when too many wait to be hashed."""
    with SLOTS.slot():
        return aside(HASHER.hash, password)


def matches(stored: str | None, password: str) -> bool:
    """Return whether `password` is the one behind `stored` (None or "": there is none).

    Raises `Unavailable` when too many wait to be hashed.
    """
    # A hash of an earlier version takes five times the memory.
    run = one_at_a_time if stored and is_outdated(stored) else aside
    with SLOTS.slot():
        return run(_verify, stored or "", password)


def is_outdated(stored: str) -> bool:
    """Return whether a password was hashed with other settings than those of today."""
    return HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored or nobodys(), password) and bool(stored)
    except VerificationError:
        return False
