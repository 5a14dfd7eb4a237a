"""Connections of accounts, recorded in Valkey with the time until which each counts."""

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal, get_args

from redis.client import Pipeline

from myukm.domain.presence import outbox
from myukm.domain.presence.store import ACTIVE, CONNECTED, PREFIX, clock, fallback_without_valkey
from myukm.extensions import valkey

CONNECTION_TTL, GRACE_SECONDS, ACTIVITY_TTL = 50, 20, 300  # all in seconds

Verb = Literal["open", "keep", "close", "input"]
VERBS: tuple[Verb, ...] = get_args(Verb)
Change = tuple[Verb, int, str]


@fallback_without_valkey(list[int])
def record(changes: Collection[Change]) -> list[int]:
    """Record changes of connections and return the accounts whose status must be published.

    A change is (verb, account, connection). The verbs are open, keep (still connected), close, and
    input: user activity, with the browser in place of the connection ("" if unknown). The number of
    round trips does not depend on the number of changes.
    """
    if not changes:
        return []
    now, users = clock(valkey().time()), list({user for _, user, _ in changes})
    with valkey().pipeline(transaction=False) as commands:
        for (verb, user), run in groupby(changes, itemgetter(0, 1)):
            _write(commands, now, verb, user, [connection for *_, connection in run])
        for user in users:
            commands.zcount(_connections_key(user), now, "+inf")
        for user in users:
            commands.zscore(CONNECTED, str(user))
        found = commands.execute()
    by_verb = {verb: {user for kind, user, _ in changes if kind == verb} for verb in VERBS}
    counts, connected_until = found[-2 * len(users) : -len(users)], found[-len(users) :]
    unconnected = {user for user, count in zip(users, counts, strict=True) if not count}
    unknown = {user for user, until in zip(users, connected_until, strict=True) if until is None}
    with valkey().pipeline(transaction=False) as commands:
        _extend(commands, CONNECTED, by_verb["open"] | by_verb["keep"], now + CONNECTION_TTL)
        # Valkey lost its data about connected accounts: assume that they are active.
        _extend(commands, ACTIVE, by_verb["keep"] & unknown, now + ACTIVITY_TTL)
        if gone := by_verb["close"] & unconnected:  # the grace period covers a change of the page
            times = dict.fromkeys(map(str, gone), now + GRACE_SECONDS)
            commands.zadd(CONNECTED, times, xx=True, lt=True)
        commands.execute()
    return outbox.add(outbox.unpublished(users))


def _extend(commands: Pipeline, key: str, users: Collection[int], time: float) -> None:
    """Set the time of these accounts in a sorted set, unless it is later already."""
    if users:
        commands.zadd(key, dict.fromkeys(map(str, users), time), gt=True)


def _write(commands: Pipeline, now: float, verb: Verb, user: int, names: Sequence[str]) -> None:
    """Write changes of one verb; `names` are an account's connections, or browsers for input."""
    if verb == "close":
        commands.zrem(_connections_key(user), *names)
    elif verb == "input":
        if browsers := list(filter(None, names)):
            commands.zadd(browsers_key(user), dict.fromkeys(browsers, now + ACTIVITY_TTL))
            commands.expire(browsers_key(user), ACTIVITY_TTL)
    else:
        commands.zadd(_connections_key(user), dict.fromkeys(names, now + CONNECTION_TTL))
        commands.pexpire(_connections_key(user), round((CONNECTION_TTL + GRACE_SECONDS) * 1000))
    if verb in ("open", "input"):
        commands.zadd(ACTIVE, {str(user): now + ACTIVITY_TTL}, gt=True)


def browsers_key(user: int) -> str:
    """Return the key of a sorted set: the account's browsers by the time until which they count as
    in use."""
    return f"{PREFIX}devices:{user}"


def _connections_key(user: int) -> str:
    """Return the key of a sorted set: the account's connections by the time until which they
    count."""
    return f"{PREFIX}connections:{user}"


@fallback_without_valkey(list[int])
def mark_expired() -> list[int]:
    """Let accounts whose connections, grace period or activity expired wait for the publishing job;
    return one of all accounts that wait, [] if there is none."""
    now = clock(valkey().time())
    with valkey().pipeline(transaction=False) as commands:
        commands.zrangebyscore(CONNECTED, "-inf", now)
        commands.zrangebyscore(ACTIVE, "-inf", now)
        disconnected, idle = commands.execute()
    if not disconnected and not idle:
        return outbox.waiting(1)
    outbox.add(map(int, {*disconnected, *idle}))
    with valkey().pipeline(transaction=False) as commands:
        commands.zremrangebyscore(CONNECTED, "-inf", now)
        commands.zremrangebyscore(ACTIVE, "-inf", now)
        commands.execute()
    return outbox.waiting(1)


@fallback_without_valkey(dict[int, int])
def open_streams(user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of open streams of each account on all web processes."""
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        for user_id in user_ids:
            commands.zrange(f"{PREFIX}connections:{user_id}", 0, -1, withscores=True)
        time, *found = commands.execute()
    return {
        user_id: sum(expires > clock(time) for _name, expires in entries)
        for user_id, entries in zip(user_ids, found, strict=True)
    }
