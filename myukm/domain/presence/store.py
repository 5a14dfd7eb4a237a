"""Presence data in Valkey. Without Valkey everybody counts as offline, and no request fails."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar, cast

from redis.exceptions import RedisError

from myukm.extensions import valkey

CONNECTION_TTL, GRACE_SECONDS, ACTIVITY_TTL = 50, 20, 300
PREFIX = "myukm:presence:"
STATUS, PUBLISHED = f"{PREFIX}status", f"{PREFIX}told"
SCRIPT = (Path(__file__).parent / "presence.lua").read_text()

Verb = Literal["open", "keep", "close", "input"]
Change = tuple[Verb, int, str]

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)


def fallback_without_valkey(nothing: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Fall back to `nothing()` without Valkey; presence must never fail a request."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except RedisError as error:
                logger.info("presence: Valkey unreachable: %s", error)
                return nothing()

        return call

    return decorate


@fallback_without_valkey(list[int])
def record(changes: Iterable[Change]) -> list[int]:
    """Record changes of connections and return the accounts whose status must be published.

    A change is (verb, account, connection). The verbs are open, keep (still connected), close and
    input (user activity, for which the connection is ignored).
    """
    words = [str(word) for change in changes for word in change]
    return _run(words) if words else []


@fallback_without_valkey(list[int])
def changed_by_time() -> list[int]:
    """Return the accounts whose grace period or activity expired and whose status must be
    published."""
    return _run([])


def _run(words: list[str]) -> list[int]:
    script = valkey().register_script(SCRIPT)
    return [
        int(user) for user in script(args=[CONNECTION_TTL, GRACE_SECONDS, ACTIVITY_TTL, *words])
    ]


def unpublished_status(user_id: int) -> str | None:
    """Return the account's current status if it differs from the published one."""
    with valkey().pipeline() as commands:
        commands.delete(f"{PREFIX}queued:{user_id}")
        commands.hget(STATUS, str(user_id))
        commands.hget(PUBLISHED, str(user_id))
        _, status, published = commands.execute()
    return None if status == published else (status or b"offline").decode()


def mark_published(user_id: int, status: str) -> None:
    """Store the published status of an account."""
    if status == "offline":
        valkey().hdel(PUBLISHED, str(user_id))
    else:
        valkey().hset(PUBLISHED, str(user_id), status)


@fallback_without_valkey(dict[int, str])
def statuses(user_ids: Collection[int]) -> dict[int, str]:
    """Return the status of each account that is not offline."""
    ids = list(user_ids)
    found = valkey().hmget(STATUS, [str(user_id) for user_id in ids]) if ids else []
    pairs = zip(ids, cast(list[bytes | None], found), strict=True)
    return {user: status.decode() for user, status in pairs if status}


@fallback_without_valkey(dict[int, str])
def here() -> dict[int, str]:
    """Return the status of all accounts that are not offline."""
    found = cast(dict[bytes, bytes], valkey().hgetall(STATUS))
    return {int(user): status.decode() for user, status in found.items()}


@fallback_without_valkey(dict[int, int])
def open_streams(user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of open streams of each account on all web processes."""
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        for user_id in user_ids:
            commands.zrange(f"{PREFIX}connections:{user_id}", 0, -1, withscores=True)
        (now, _), *found = commands.execute()
    return {
        user_id: sum(name != b"left" and expires > now for name, expires in entries)
        for user_id, entries in zip(user_ids, found, strict=True)
    }


@fallback_without_valkey(bool)
def once_per(milliseconds: int, *what: object) -> bool:
    """Return whether this is the first call for `what` within that many milliseconds."""
    key = ":".join(["myukm:once", *map(str, what)])
    return bool(valkey().set(key, b"1", nx=True, px=milliseconds))
