"""The wire format of Server-Sent Events (WHATWG HTML, section 9.2)."""

from typing import Any

from myukm.live import events
from myukm.live.event_log import LoggedEvent

HEARTBEAT = b":\n\n"


def encode(entry: LoggedEvent) -> bytes:
    """Return the bytes of an event; its data is one line of JSON."""
    number = "" if entry.seq is None else f"id: {entry.seq}\n"
    return f"{number}event: {entry.type}\ndata: {entry.data}\n\n".encode()


def message(type: str, data: Any, cursor: int | None = None) -> bytes:  # noqa: A002
    """Return the bytes of an event for one stream; `cursor` (its SSE id) is where it resumes."""
    return encode(LoggedEvent(cursor, "", type, events.to_json(data)))
