"""Which channels of alerts fail, and why: in Valkey, for the doctor of every process."""

from collections.abc import Mapping
from typing import cast

from myukm.extensions import valkey

KEY, FORGET_SECONDS = "myukm:alerts:failing", 300


def publish(failing: Mapping[str, str]) -> None:
    """Replace what was published before by these channels' errors. Raises `RedisError`."""
    with valkey().pipeline() as pipe:
        pipe.delete(KEY)
        if failing:
            pipe.hset(KEY, mapping=failing)  # type: ignore[arg-type]
            pipe.expire(KEY, FORGET_SECONDS)
        pipe.execute()


def published() -> dict[str, str]:
    """Return the error of each failing channel, by its name. Raises `RedisError`."""
    found = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    return {name.decode(): why.decode() for name, why in found.items()}
