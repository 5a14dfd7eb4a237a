"""The wish that all `worker.py` start anew: a counter in Valkey that their watches look at."""

from typing import cast

import redis

KEY = "myukm:restart"


def ask(client: redis.Redis) -> None:
    """Ask every `worker.py` for a warm restart; it happens within two seconds."""
    client.incr(KEY)


def asked(client: redis.Redis) -> bytes:
    """Return the newest wish; it differs from the one before when a restart was asked for."""
    return cast(bytes, client.get(KEY) or b"")
