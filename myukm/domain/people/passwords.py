"""Password hashing with argon2id; it runs in a thread so that other requests go on meanwhile."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from gevent import get_hub
from gevent.monkey import is_module_patched

Result = TypeVar("Result")
HASHER = PasswordHasher()


@cache
def nobodys() -> str:
    """Return what is verified when there is no such account: both answers take the same time."""
    return hash_password("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store."""
    return _aside(HASHER.hash, password)


def matches(stored: str | None, password: str) -> bool:
    """Return whether `password` is the one behind `stored` (None: no such account)."""
    return _aside(_verify, stored or nobodys(), password) and stored is not None


def _verify(stored: str, password: str) -> bool:
    # What escapes from gevent's thread pool is printed there with its trace.
    try:
        return HASHER.verify(stored, password)
    except VerificationError:
        return False


def _aside(function: Callable[..., Result], *args: str) -> Result:
    """Call in gevent's thread pool under gevent (hashing holds no GIL), directly otherwise."""
    if is_module_patched("threading"):
        return cast(Result, get_hub().threadpool.apply(function, args))
    return function(*args)
