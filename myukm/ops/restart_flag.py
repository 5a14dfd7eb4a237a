"""Warm-restart flag: a counter in Valkey polled by every `worker.py`."""

from typing import cast

import redis

KEY = "myukm:restart"


def request(client: redis.Redis) -> None:
    """Request a warm restart of every `worker.py`; it happens within two seconds."""
    client.incr(KEY)


def current(client: redis.Redis) -> bytes:
    """Return the counter (b"" before the first request); a change is a request to restart."""
    return cast(bytes, client.get(KEY) or b"")
