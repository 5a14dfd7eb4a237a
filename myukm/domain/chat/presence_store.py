"""What Valkey knows of who is connected. While it is away nobody is, and no user is bothered."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar, cast

from redis.exceptions import RedisError

from myukm.extensions import valkey

LIVES_SECONDS, GRACE_SECONDS, INPUT_SECONDS = 50, 20, 300
PREFIX = "myukm:presence:"
STATUS, TOLD = f"{PREFIX}status", f"{PREFIX}told"
SCRIPT = (Path(__file__).parent / "presence.lua").read_text()

Verb = Literal["open", "keep", "close", "input"]
Change = tuple[Verb, int, str]

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


def silent(nothing: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Answer `nothing()` while Valkey is away: presence is no reason to fail or to wait."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except RedisError as error:
                log.info("presence: Valkey is away: %s", error)
                return nothing()

        return call

    return decorate


@silent(list[int])
def apply(changes: Iterable[Change]) -> list[int]:
    """Note what happened to connections; return the accounts of whom others must be told.

    A change is a verb, an account and a connection: open, keep (it still stands), close, or
    input (the person did something; the connection does not matter).
    """
    words = [str(word) for change in changes for word in change]
    return _run(words) if words else []


@silent(list[int])
def changed_by_time() -> list[int]:
    """Return the accounts whose grace or attention ended, and of whom others must be told."""
    return _run([])


def _run(words: list[str]) -> list[int]:
    script = valkey().register_script(SCRIPT)
    return [
        int(user) for user in script(args=[LIVES_SECONDS, GRACE_SECONDS, INPUT_SECONDS, *words])
    ]


def untold(user_id: int) -> str | None:
    """Return the account's status now if it is not the one that others were told."""
    with valkey().pipeline() as commands:
        commands.delete(f"{PREFIX}queued:{user_id}")
        commands.hget(STATUS, str(user_id))
        commands.hget(TOLD, str(user_id))
        _, status, told = commands.execute()
    return None if status == told else (status or b"offline").decode()


def note_told(user_id: int, status: str) -> None:
    """Remember what others were told of an account."""
    if status == "offline":
        valkey().hdel(TOLD, str(user_id))
    else:
        valkey().hset(TOLD, str(user_id), status)


@silent(dict[int, str])
def statuses(user_ids: Collection[int]) -> dict[int, str]:
    """Return the status of each account that is not offline."""
    ids = list(user_ids)
    found = valkey().hmget(STATUS, [str(user_id) for user_id in ids]) if ids else []
    told = zip(ids, cast(list[bytes | None], found), strict=True)
    return {user: status.decode() for user, status in told if status}


@silent(int)
def open_streams(user_id: int) -> int:
    """Return how many streams the account has open on all web processes."""
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        commands.zrange(f"{PREFIX}connections:{user_id}", 0, -1, withscores=True)
        (now, _), entries = commands.execute()
    return sum(name != b"left" and expires > now for name, expires in entries)


@silent(bool)
def first_within(milliseconds: int, *what: object) -> bool:
    """Return whether `what` happens for the first time in that many milliseconds."""
    key = ":".join(["myukm:once", *map(str, what)])
    return bool(valkey().set(key, b"1", nx=True, px=milliseconds))
