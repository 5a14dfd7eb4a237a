"""Which push services accept nothing, and why. Counted in Valkey, because the doctor of every
process reports them."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from myukm.domain.push.sender import DELIVERED, GONE, Notification, Outcome
from myukm.extensions import valkey

FAILURES, REASONS = "myukm:push:failures", "myukm:push:reasons"
TTL_SECONDS = 24 * 3600
# Single requests may fail for a reason of their own.
MIN_FAILURES = 5
# Any member can subscribe any address, and an operator types the host into a shell.
HOST = re.compile(r"[a-z0-9.-]+")


class Failing(NamedTuple):
    """A push service whose last `failures` responses, or their absence (`why`), were failures."""

    host: str
    failures: int
    why: str


def record(sent: Iterable[tuple[Notification, Outcome]]) -> None:
    """Count the failures of each service since its last success. A subscription that is gone is a
    success, because the service answered. Without Valkey nothing is counted."""
    with suppress(RedisError), valkey().pipeline() as pipe:
        for notification, outcome in sent:
            host = urlsplit(notification.endpoint).hostname or ""
            if not HOST.fullmatch(host):
                continue
            if outcome.verdict in (DELIVERED, GONE):
                pipe.hdel(FAILURES, host)
            else:
                pipe.hincrby(FAILURES, host, 1)
                pipe.hset(REASONS, host, outcome.why)
        pipe.expire(FAILURES, TTL_SECONDS)
        pipe.expire(REASONS, TTL_SECONDS)
        pipe.execute()


def worst() -> Failing | None:
    """Return the service with the most failures in a row, if it has at least `MIN_FAILURES`.
    Raises `RedisError`."""
    counts = cast(dict[bytes, bytes], valkey().hgetall(FAILURES))
    host = max(counts, key=lambda each: int(counts[each]), default=b"")
    if not host or int(counts[host]) < MIN_FAILURES:
        return None
    why = cast(bytes | None, valkey().hget(REASONS, host.decode()))
    return Failing(host.decode(), int(counts[host]), (why or b"").decode())
