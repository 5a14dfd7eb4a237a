"""Password hashing with argon2id, in a bounded thread pool."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from myukm.domain.accounts.threads import Pool

# One of the settings that OWASP's Password Storage Cheat Sheet lists as equally strong. It needs
# 9 MB for each of the two threads.
HASHER = PasswordHasher(time_cost=4, memory_cost=9 * 1024, parallelism=1)
POOL = Pool(threads=2, max_waiting=60)
# Verifying a hash of an earlier version needs seven times the memory, so one thread does it.
OUTDATED_POOL = Pool(threads=1, max_waiting=60)


@cache
def dummy_hash() -> str:
    """Return a dummy hash, verified for unknown accounts so that timing reveals nothing."""
    return HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store. Raises `Unavailable` if the pool's queue is full."""
    return POOL.call(HASHER.hash, password)


def verify(stored: str | None, password: str) -> bool:
    """Return whether `password` matches the hash `stored`; None and "" (no account) never match.

    Raises `Unavailable` if the pool's queue is full.
    """
    pool = OUTDATED_POOL if stored and is_outdated(stored) else POOL
    return pool.call(_verify, stored or "", password)


def is_outdated(stored: str) -> bool:
    """Return whether a hash was made with other settings than the current ones."""
    return HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored or dummy_hash(), password) and bool(stored)
    except VerificationError:
        return False
