"""The loop of one stream: what it starts with, what the hub hands on, heartbeats, the end."""

import random
from collections.abc import Iterator, Sequence

from myukm.live.hub import Hub
from myukm.live.listener import Listener
from myukm.live.sse import HEARTBEAT, message

HEARTBEAT_SECONDS = 15.0


def follow(hub: Hub, listener: Listener, cursor: int, first: Sequence[bytes]) -> Iterator[bytes]:
    """Yield a stream's bytes until it ends; whoever called `hub.join` calls `hub.leave` then.

    `first` goes out at once; everything up to number `cursor` is in it and is not sent again.
    """
    yield HEARTBEAT + b"".join(first)
    while not listener.closed:
        taken = listener.take(HEARTBEAT_SECONDS)
        fresh = [chunk for seq, chunk in taken if seq is None or seq > cursor]
        if fresh:
            yield b"".join(fresh)
        elif not taken:
            yield HEARTBEAT
    if hub.closing:
        yield message("bye", {"retry_ms": random.randint(500, 4000)})  # noqa: S311 (spread)
