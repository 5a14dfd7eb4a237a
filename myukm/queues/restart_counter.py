"""Counter in Valkey of requests for a warm restart; every worker.py polls it."""

from typing import cast

import redis
from redis.exceptions import RedisError

from myukm.valkey_clients import background_client

KEY = "myukm:restart"


def request(client: redis.Redis) -> None:
    """Request a warm restart of every worker.py; each notices it within about two seconds."""
    client.incr(KEY)


def current(client: redis.Redis) -> bytes:
    """Return the counter (b"" before the first request); a change is a request to restart."""
    return cast(bytes, client.get(KEY) or b"")


def at_start(url: str) -> bytes | None:
    """Return the counter when a program starts, or None if the Valkey at `url` does not answer.

    Call it before the program's code is loaded: a request that comes while it is being loaded then
    changes the counter and is noticed. Read afterwards, the counter would include that request, and
    the program would go on with the old code.
    """
    with background_client(url) as client:
        try:
            return current(client)
        except RedisError:
            return None
