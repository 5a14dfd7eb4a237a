"""Password hashing with argon2id, a few at a time."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from myukm.domain.accounts.threads import Pool

# One of the settings that OWASP holds for equally strong, and the one with which a crowd that logs
# in at once costs each process of a small server 18 MB.
HASHER = PasswordHasher(time_cost=4, memory_cost=9 * 1024, parallelism=1)
POOL = Pool(threads=2, max_waiting=60)
# A hash of an earlier version takes seven times the memory.
OUTDATED_POOL = Pool(threads=1, max_waiting=60)


@cache
def dummy_hash() -> str:
    """Return a dummy hash, verified for unknown accounts so that timing reveals nothing."""
    return HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store. Raises `Unavailable` when too many wait to be hashed."""
    return POOL.call(HASHER.hash, password)


def verify(stored: str | None, password: str) -> bool:
    """Return whether `password` is the one behind `stored` (None or "": there is none).

    Raises `Unavailable` when too many wait to be hashed.
    """
    pool = OUTDATED_POOL if stored and is_outdated(stored) else POOL
    return pool.call(_verify, stored or "", password)


def is_outdated(stored: str) -> bool:
    """Return whether a password was hashed with other settings than those of today."""
    return HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored or dummy_hash(), password) and bool(stored)
    except VerificationError:
        return False
