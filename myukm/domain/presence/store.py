"""Who is here, as Valkey knows it. Without Valkey everybody counts as offline, no request fails."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage

PREFIX = "myukm:presence:"
# Sorted sets of accounts by the time until which they are here, and until which they are active.
HERE, ACTIVE = f"{PREFIX}here", f"{PREFIX}active"
P = ParamSpec("P")
R = TypeVar("R")
_outage = Outage(logging.getLogger(__name__), "presence: Valkey unreachable")


def fallback_without_valkey(nothing: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Fall back to `nothing()` without Valkey; presence must never fail a request."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                result = function(*args, **kwargs)
            except RedisError as error:
                _outage.failed(error)
                return nothing()
            _outage.worked()
            return result

        return call

    return decorate


@fallback_without_valkey(dict[int, str])
def statuses(user_ids: Collection[int]) -> dict[int, str]:
    """Return the status of each account that is not offline."""
    return read_statuses(user_ids)


def read_statuses(user_ids: Collection[int]) -> dict[int, str]:
    """Return what `statuses` returns. Raises `RedisError`."""
    if not user_ids:
        return {}
    ids = list(map(str, user_ids))
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        commands.zmscore(HERE, ids)
        commands.zmscore(ACTIVE, ids)
        now, *scores = commands.execute()
    return _judge(clock(now), zip(user_ids, *scores, strict=True))


@fallback_without_valkey(dict[int, str])
def here() -> dict[int, str]:
    """Return the status of all accounts that are not offline."""
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        commands.zrange(HERE, 0, -1, withscores=True)
        commands.zrange(ACTIVE, 0, -1, withscores=True)
        now, present, active = commands.execute()
    until = dict(active)
    entries = ((int(user), end, until.get(user)) for user, end in present)
    return _judge(clock(now), entries)


def clock(time: tuple[int, int]) -> float:
    """Return the seconds of Valkey's clock, which counts because those of the hosts may differ."""
    return time[0] + time[1] / 1e6


def _judge(now: float, entries: Iterable[tuple[int, float | None, float | None]]) -> dict[int, str]:
    """Return the statuses for (account, here until, active until), without those offline."""
    return {
        user: "online" if (active or 0) > now else "away"
        for user, until, active in entries
        if (until or 0) > now
    }


@fallback_without_valkey(bool)
def once_per(milliseconds: int, *what: object) -> bool:
    """Return whether this is the first call for `what` within that many milliseconds."""
    key = ":".join(["myukm:once", *map(str, what)])
    return bool(valkey().set(key, b"1", nx=True, px=milliseconds))
