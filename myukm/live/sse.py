"""The wire format of Server-Sent Events (WHATWG HTML, section 9.2)."""

import random
from typing import Any

from myukm.db.types import to_iso8601, utcnow
from myukm.live import events
from myukm.live.event_log import LoggedEvent

SPREAD_MS_PER_STREAM = 2.0
FIRST_RETRY_MS, BYE_SPREAD_MS = 500, 1500


def encode(entry: LoggedEvent) -> bytes:
    """Return the bytes of an event; its data is one line of JSON."""
    number = "" if entry.seq is None else f"id: {entry.seq}\n"
    return f"{number}event: {entry.type}\ndata: {entry.data}\n\n".encode()


def message(type: str, data: Any, cursor: int | None = None) -> bytes:  # noqa: A002
    """Return the bytes of an event for one stream; `cursor` is the event's SSE id, from which the
    stream resumes."""
    return encode(LoggedEvent(cursor, "", type, events.to_json(data)))


def heartbeat(open_streams: int, *, degraded: bool, cursor: int | None = None) -> bytes:
    """Return a heartbeat; a client that receives none for 30 s reconnects.

    A client whose connection breaks reconnects at a random moment within `spread_ms`, which grows
    with `open_streams`, the number of this process's streams. `degraded`: Valkey is unreachable.
    """
    at, spread = to_iso8601(utcnow()), _spread_ms(open_streams)
    return message("heartbeat", {"at": at, "degraded": degraded, "spread_ms": spread}, cursor)


def first_heartbeat(cursor: int, open_streams: int, *, degraded: bool) -> bytes:
    """Return the SSE field `retry:` (a random time after which this client reconnects) and the
    stream's first heartbeat, with its cursor."""
    retry = FIRST_RETRY_MS + random.randint(0, _spread_ms(open_streams))  # noqa: S311 (no secret)
    return b"retry: %d\n%s" % (retry, heartbeat(open_streams, degraded=degraded, cursor=cursor))


def bye(open_streams: int) -> bytes:
    """Return the event that ends a stream when the server goes away."""
    retry = FIRST_RETRY_MS + random.randint(0, BYE_SPREAD_MS + _spread_ms(open_streams))  # noqa: S311
    return message("bye", {"retry_ms": retry})


def _spread_ms(open_streams: int) -> int:
    """Return the milliseconds that a process needs to open `open_streams` streams again."""
    return int(SPREAD_MS_PER_STREAM * open_streams)
