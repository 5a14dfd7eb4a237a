"""Presence of accounts, read from Valkey. Without Valkey everybody counts as offline; only
`read_statuses` raises the error."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage

PREFIX = "myukm:presence:"
# Sorted sets of accounts by the time until which they count as connected, and as active.
CONNECTED, ACTIVE = f"{PREFIX}here", f"{PREFIX}active"
P = ParamSpec("P")
R = TypeVar("R")
_outage = Outage(logging.getLogger(__name__), "presence: Valkey unreachable")


def fallback_without_valkey(
    make_default: Callable[[], R],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: without Valkey the function returns `make_default()`, because presence
    must never fail a request."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                result = function(*args, **kwargs)
            except RedisError as error:
                _outage.failed(error)
                return make_default()
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
        commands.zmscore(CONNECTED, ids)
        commands.zmscore(ACTIVE, ids)
        now, *scores = commands.execute()
    return _statuses_at(clock(now), zip(user_ids, *scores, strict=True))


@fallback_without_valkey(dict[int, str])
def connected() -> dict[int, str]:
    """Return the status of all accounts that are not offline."""
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        commands.zrange(CONNECTED, 0, -1, withscores=True)
        commands.zrange(ACTIVE, 0, -1, withscores=True)
        now, present, active = commands.execute()
    active_until = dict(active)
    entries = ((int(user), until, active_until.get(user)) for user, until in present)
    return _statuses_at(clock(now), entries)


def clock(time: tuple[int, int]) -> float:
    """Return Valkey's TIME reply in seconds. Times are compared by Valkey's clock, because the
    clocks of the hosts may differ."""
    return time[0] + time[1] / 1e6


def _statuses_at(
    now: float, entries: Iterable[tuple[int, float | None, float | None]]
) -> dict[int, str]:
    """Return the statuses of (account, connected until, active until), without offline ones."""
    return {
        user: "online" if (active_until or 0) > now else "away"
        for user, connected_until, active_until in entries
        if (connected_until or 0) > now
    }


@fallback_without_valkey(bool)
def once_per(milliseconds: int, *what: object) -> bool:
    """Return whether this is the first call for `what` within that many milliseconds; False without
    Valkey."""
    key = ":".join(["myukm:once", *map(str, what)])
    return bool(valkey().set(key, b"1", nx=True, px=milliseconds))
