"""Accounts whose pages hear nothing of their streams although this server answers them: something
on the way, mostly a proxy, holds the bytes back. Only the pages can notice that."""

from myukm.extensions import valkey

KEY = "myukm:streams:held"
# A page reports it again after each silent connection, which lasts 30 s and the pause before it.
FORGET_SECONDS = 120


def report(user_id: int) -> None:
    """Record that a page of an account hears nothing. Raises `RedisError`."""
    now = valkey().time()[0]
    with valkey().pipeline(transaction=False) as pipe:
        pipe.zadd(KEY, {str(user_id): now})
        pipe.zremrangebyscore(KEY, 0, now - FORGET_SECONDS)
        pipe.expire(KEY, FORGET_SECONDS)
        pipe.execute()


def count() -> int:
    """Return how many accounts reported it lately. Raises `RedisError`."""
    return int(valkey().zcard(KEY))
