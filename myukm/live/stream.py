"""The loop of one stream: what it starts with, what the hub hands on, heartbeats, the end."""

import random
from collections.abc import Callable, Iterator, Sequence

from myukm.live.hub import Hub
from myukm.live.listener import Listener
from myukm.live.sse import HEARTBEAT, message

HEARTBEAT_SECONDS = 15.0


def follow(
    hub: Hub,
    listener: Listener,
    cursor: int,
    first: Sequence[bytes],
    on_beat: Callable[[], None],
    on_end: Callable[[], None],
) -> Iterator[bytes]:
    """Yield a stream's bytes until it ends.

    `first` goes out at once; everything up to number `cursor` is in it and is not sent again.
    `on_beat` is called at every heartbeat, `on_end` once when the reader is gone.
    """
    try:
        yield HEARTBEAT + b"".join(first)
        while not listener.closed:
            taken = listener.take(HEARTBEAT_SECONDS)
            fresh = [chunk for seq, chunk in taken if seq is None or seq > cursor]
            if fresh:
                yield b"".join(fresh)
            elif not taken:
                on_beat()
                yield HEARTBEAT
        if hub.closing:
            yield message("bye", {"retry_ms": random.randint(500, 4000)})  # noqa: S311 (spread)
    finally:
        hub.leave(listener)
        on_end()
