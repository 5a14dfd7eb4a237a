"""Connections of accounts, recorded in Valkey with the time until which each counts."""

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal, get_args

from redis.client import Pipeline

from myukm.domain.presence import outbox
from myukm.domain.presence.store import ACTIVE, CONNECTED, PREFIX, clock, fallback_without_valkey
from myukm.extensions import valkey

CONNECTION_TTL, GRACE_SECONDS, ACTIVITY_TTL = 50, 20, 300

Verb = Literal["open", "keep", "close", "input"]
VERBS: tuple[Verb, ...] = get_args(Verb)
Change = tuple[Verb, int, str]


@fallback_without_valkey(list[int])
def record(changes: Collection[Change]) -> list[int]:
    """Record changes of connections and return the accounts whose status must be published.

    A change is (verb, account, connection). The verbs are open, keep (still connected), close, and
    input: user activity, with the browser in place of the connection ("" if unknown). Takes a fixed
    number of round trips.
    """
    if not changes:
        return []
    now, users = clock(valkey().time()), list({user for _, user, _ in changes})
    with valkey().pipeline(transaction=False) as commands:
        for (verb, user), run in groupby(changes, itemgetter(0, 1)):
            _write(commands, now, verb, user, [connection for *_, connection in run])
        for user in users:
            commands.zcount(_connections(user), now, "+inf")
        for user in users:
            commands.zscore(CONNECTED, str(user))
        found = commands.execute()
    of = {verb: {user for kind, user, _ in changes if kind == verb} for verb in VERBS}
    counts, until = found[-2 * len(users) : -len(users)], found[-len(users) :]
    left = {user for user, count in zip(users, counts, strict=True) if not count}
    lost = {user for user, was in zip(users, until, strict=True) if was is None}
    with valkey().pipeline(transaction=False) as commands:
        _raise(commands, CONNECTED, of["open"] | of["keep"], now + CONNECTION_TTL)
        _raise(commands, ACTIVE, of["keep"] & lost, now + ACTIVITY_TTL)  # Valkey lost its data
        if gone := of["close"] & left:  # the person may only be changing the page
            times = dict.fromkeys(map(str, gone), now + GRACE_SECONDS)
            commands.zadd(CONNECTED, times, xx=True, lt=True)
        commands.execute()
    return outbox.add(outbox.unpublished(users))


def _raise(commands: Pipeline, key: str, users: Collection[int], time: float) -> None:
    """Raise the time of these accounts, never lower it."""
    if users:
        commands.zadd(key, dict.fromkeys(map(str, users), time), gt=True)


def _write(commands: Pipeline, now: float, verb: Verb, user: int, names: Sequence[str]) -> None:
    """Write changes of one kind of an account's connections."""
    if verb == "close":
        commands.zrem(_connections(user), *names)
    elif verb == "input":
        if browsers := list(filter(None, names)):
            commands.zadd(devices(user), dict.fromkeys(browsers, now + ACTIVITY_TTL))
            commands.expire(devices(user), ACTIVITY_TTL)
    else:
        commands.zadd(_connections(user), dict.fromkeys(names, now + CONNECTION_TTL))
        commands.pexpire(_connections(user), round((CONNECTION_TTL + GRACE_SECONDS) * 1000))
    if verb in ("open", "input"):
        commands.zadd(ACTIVE, {str(user): now + ACTIVITY_TTL}, gt=True)


def devices(user: int) -> str:
    """Return the key of an account's browsers in use, each with the time until which it counts."""
    return f"{PREFIX}devices:{user}"


def _connections(user: int) -> str:
    """Return the key of an account's connections, each with the time until which it counts."""
    return f"{PREFIX}connections:{user}"


@fallback_without_valkey(list[int])
def changed_by_time() -> list[int]:
    """Mark accounts whose connections, grace period or activity expired; return [] if no account
    waits for the job, else one of them."""
    now = clock(valkey().time())
    with valkey().pipeline(transaction=False) as commands:
        commands.zrangebyscore(CONNECTED, "-inf", now)
        commands.zrangebyscore(ACTIVE, "-inf", now)
        gone, idle = commands.execute()
    if not gone and not idle:
        return outbox.waiting(1)
    outbox.add(map(int, {*gone, *idle}))
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
