"""Which channels of alerts fail, and why. Stored in Valkey, because the doctor of every process
reports them."""

from collections.abc import Mapping
from typing import cast

from myukm.extensions import valkey

KEY, TTL_SECONDS = "myukm:alerts:failing", 300


def publish(failing: Mapping[str, str]) -> None:
    """Publish the errors of all failing channels, by the channel's name; channels published before
    are removed. Raises `RedisError`."""
    with valkey().pipeline() as pipe:
        pipe.delete(KEY)
        if failing:
            pipe.hset(KEY, mapping=failing)  # type: ignore[arg-type]
            pipe.expire(KEY, TTL_SECONDS)
        pipe.execute()


def published() -> dict[str, str]:
    """Return the error of each failing channel, by the channel's name. Raises `RedisError`."""
    found = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    return {name.decode(): why.decode() for name, why in found.items()}
