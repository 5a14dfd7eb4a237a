"""Who views one of our pages now: people with a browser in use whose page is visible.

A change "input" (`connections.record`) records that a browser is in use; `end` is called when the
last visible page of a browser is hidden.
"""

from collections.abc import Collection

from myukm.domain.presence.connections import browsers_key
from myukm.domain.presence.store import CONNECTED, clock, fallback_without_valkey
from myukm.extensions import valkey


@fallback_without_valkey(lambda: None)
def end(user_id: int, browser: str) -> None:
    """Record that no page of this browser is visible any more."""
    valkey().zrem(browsers_key(user_id), browser)


@fallback_without_valkey(set[int])
def viewers(user_ids: Collection[int]) -> set[int]:
    """Return which of these accounts view a page and are connected."""
    if not user_ids:
        return set()
    users = list(user_ids)
    with valkey().pipeline(transaction=False) as commands:
        commands.time()
        commands.zmscore(CONNECTED, list(map(str, users)))
        for user_id in users:
            commands.zrange(browsers_key(user_id), 0, -1, withscores=True)
        time, until, *found = commands.execute()
    now = clock(time)
    return {
        user_id
        for user_id, here_until, browsers in zip(users, until, found, strict=True)
        if (here_until or 0) > now and any(viewed_until > now for _, viewed_until in browsers)
    }
