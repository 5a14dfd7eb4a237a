"""Accounts whose status is not published yet, and the one job that publishes it."""

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from myukm.domain.presence import store
from myukm.domain.presence.store import PREFIX, fallback_without_valkey
from myukm.extensions import valkey

# After this time another job is queued, in case the first one was lost.
QUEUED_SECONDS = 60
# A hash: the published status of each account.
PUBLISHED = f"{PREFIX}published"
# A set: accounts whose status may differ from the published one.
WAITING = f"{PREFIX}waiting"
# A set: accounts whose status was held back from a large UKM, which gets at most one a second.
DELAYED = f"{PREFIX}late"
# A flag: the publishing job is queued.
QUEUED = f"{PREFIX}queued"


def add(users: Iterable[int]) -> list[int]:
    """Let these accounts wait for the job, and return them."""
    waiting = list(users)
    if waiting:
        valkey().sadd(WAITING, *waiting)
    return waiting


@fallback_without_valkey(bool)
def queue_once() -> bool:
    """Return whether the caller must enqueue the job, because none is queued."""
    return bool(valkey().set(QUEUED, b"1", nx=True, px=round(QUEUED_SECONDS * 1000)))


def begin(user_id: int) -> None:
    """Begin the job: delete its flag, so that later changes queue another job, and let `user_id`
    wait as well."""
    with valkey().pipeline() as commands:
        commands.delete(QUEUED)
        commands.sadd(WAITING, user_id)
        commands.execute()


def waiting(limit: int) -> list[int]:
    """Return up to `limit` of the accounts that wait for the job, in random order."""
    return [int(user) for user in cast(list[bytes], valkey().srandmember(WAITING, limit))]


def unpublished(user_ids: Collection[int]) -> dict[int, str]:
    """Return the current status of the accounts whose published status differs from it."""
    if not user_ids:
        return {}
    known, published = store.read_statuses(user_ids), valkey().hmget(PUBLISHED, *user_ids)
    pairs = zip(user_ids, cast(list[bytes | None], published), strict=True)
    status = {
        user: (known.get(user, "offline"), (was or b"offline").decode()) for user, was in pairs
    }
    return {user: now for user, (now, was) in status.items() if now != was}


def mark_published(user_ids: Collection[int], published: Mapping[int, str]) -> None:
    """Store the published statuses, and let no account of `user_ids` wait any longer, except those
    whose status changed meanwhile."""
    with valkey().pipeline() as commands:
        for user, status in published.items():
            if status == "offline":
                commands.hdel(PUBLISHED, str(user))
            else:
                commands.hset(PUBLISHED, str(user), status)
        commands.srem(WAITING, *user_ids)
        commands.execute()
    add(unpublished(user_ids))


def delay(user_ids: Collection[int]) -> None:
    """Store accounts whose status was held back from a large UKM."""
    if user_ids:
        valkey().sadd(DELAYED, *user_ids)


@fallback_without_valkey(list[int])
def take_delayed(limit: int) -> list[int]:
    """Remove up to `limit` of the accounts that `delay` stored, and return them."""
    return [int(user) for user in cast(list[bytes], valkey().spop(DELAYED, limit))]
