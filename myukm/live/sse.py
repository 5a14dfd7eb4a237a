"""The wire format of Server-Sent Events (WHATWG HTML, section 9.2)."""

import random
from typing import Any

from myukm.db.types import to_iso8601, utcnow
from myukm.live import events
from myukm.live.event_log import LoggedEvent

RETRY_MS_PER_STREAM = 1.5


def encode(entry: LoggedEvent) -> bytes:
    """Return the bytes of an event; its data is one line of JSON."""
    number = "" if entry.seq is None else f"id: {entry.seq}\n"
    return f"{number}event: {entry.type}\ndata: {entry.data}\n\n".encode()


def message(type: str, data: Any, cursor: int | None = None) -> bytes:  # noqa: A002
    """Return the bytes of an event for one stream; `cursor` (its SSE id) is where it resumes."""
    return encode(LoggedEvent(cursor, "", type, events.to_json(data)))


def heartbeat(*, degraded: bool, cursor: int | None = None) -> bytes:
    """Return the event that lets clients notice silence; `degraded`: Valkey is unreachable."""
    data = {"at": to_iso8601(utcnow()), "degraded": degraded}
    return message("heartbeat", data, cursor)


def first_heartbeat(cursor: int, crowd: int, *, degraded: bool) -> bytes:
    """Return a stream's first heartbeat, which names its cursor, and when to come back after a loss
    that nobody announced; `crowd` is the number of streams."""
    return b"retry: %d\n%s" % (_retry_ms(crowd), heartbeat(degraded=degraded, cursor=cursor))


def bye(crowd: int) -> bytes:
    """Return the event that ends a stream when the server goes away."""
    return message("bye", {"retry_ms": _retry_ms(crowd)})


def _retry_ms(crowd: int) -> int:
    """Return after how many milliseconds one of `crowd` clients comes back: each at another moment,
    and no more of them at once than a process can open."""
    return random.randint(500, 2000 + int(RETRY_MS_PER_STREAM * crowd))  # noqa: S311 (spread)
