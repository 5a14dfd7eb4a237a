"""Warm-restart flag: a counter in Valkey polled by every `worker.py`."""

from typing import cast

import redis
from redis.exceptions import RedisError

from myukm.valkey_clients import background_client

KEY = "myukm:restart"


def request(client: redis.Redis) -> None:
    """Request a warm restart of every `worker.py`; it happens within two seconds."""
    client.incr(KEY)


def current(client: redis.Redis) -> bytes:
    """Return the counter (b"" before the first request); a change is a request to restart."""
    return cast(bytes, client.get(KEY) or b"")


def at_start(url: str) -> bytes | None:
    """Return the counter when a program starts, or None if the Valkey at `url` does not answer.

    Read it as early as possible: the code that is loaded then is older than any later request.
    """
    with background_client(url) as client:
        try:
            return current(client)
        except RedisError:
            return None
