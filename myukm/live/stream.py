"""The generator of one stream: initial events, dispatched events, heartbeats, the end."""

import random
from collections.abc import Iterator, Sequence

from myukm.live.hub import Hub
from myukm.live.sse import heartbeat, message
from myukm.live.subscriber import Subscriber

HEARTBEAT_SECONDS = 12.0


def iter_events(hub: Hub, subscriber: Subscriber, first: Sequence[bytes]) -> Iterator[bytes]:
    """Yield a stream's bytes until it ends. The caller of `hub.subscribe` must unsubscribe.

    `first` is sent first; it contains everything up to `subscriber.cursor`.
    """
    first = [heartbeat(degraded=hub.away), *first]
    while first:  # popped, so that its memory is freed while the stream stays open
        yield b"".join(first)
        first = ()
    while not subscriber.closed:
        try:
            chunks = subscriber.pop(HEARTBEAT_SECONDS)
        except OSError:
            return
        if chunks is None:
            yield heartbeat(degraded=hub.away)
        elif chunks:
            yield b"".join(chunks)
    if hub.closing:
        yield message("bye", {"retry_ms": random.randint(500, 4000)})  # noqa: S311 (spread)
