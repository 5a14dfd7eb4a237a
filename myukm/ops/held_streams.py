"""Accounts whose pages receive no events of their streams although requests are answered, because a
proxy holds the bytes back. Only the pages notice it, so they report it."""

from myukm.extensions import valkey

KEY = "myukm:streams:held"
# A page repeats its report about every 30 s, plus the pause before it connects again.
TTL_SECONDS = 120


def report(user_id: int) -> None:
    """Record that a page of this account receives no events. Raises `RedisError`."""
    now = valkey().time()[0]
    with valkey().pipeline(transaction=False) as pipe:
        pipe.zadd(KEY, {str(user_id): now})
        pipe.zremrangebyscore(KEY, 0, now - TTL_SECONDS)
        pipe.expire(KEY, TTL_SECONDS)
        pipe.execute()


def count() -> int:
    """Return how many accounts' pages reported this within `TTL_SECONDS`. Raises `RedisError`."""
    return int(valkey().zcount(KEY, valkey().time()[0] - TTL_SECONDS, "+inf"))
