"""The wire format of Server-Sent Events (WHATWG HTML, section 9.2)."""

import random
from typing import Any

from myukm.db.types import to_iso8601, utcnow
from myukm.live import events
from myukm.live.event_log import LoggedEvent


def encode(entry: LoggedEvent) -> bytes:
    """Return the bytes of an event; its data is one line of JSON."""
    number = "" if entry.seq is None else f"id: {entry.seq}\n"
    return f"{number}event: {entry.type}\ndata: {entry.data}\n\n".encode()


def message(type: str, data: Any, cursor: int | None = None) -> bytes:  # noqa: A002
    """Return the bytes of an event for one stream; `cursor` (its SSE id) is where it resumes."""
    return encode(LoggedEvent(cursor, "", type, events.to_json(data)))


def heartbeat(*, degraded: bool) -> bytes:
    """Return the event that lets clients notice silence; `degraded`: Valkey is unreachable."""
    return message("heartbeat", {"at": to_iso8601(utcnow()), "degraded": degraded})


def bye() -> bytes:
    """Return the event that ends a stream when the server goes away. Clients come back at different
    moments."""
    return message("bye", {"retry_ms": random.randint(500, 4000)})  # noqa: S311 (spread)
