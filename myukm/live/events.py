"""The events of the stream: this list is all that is ever published.

To add one, add it here, to `static/js/live/event_types.js` and to `docs/api.yaml`; a test compares
the three.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class EventType(NamedTuple):
    """A type of event: its payload's schema in `docs/api.yaml`, the kinds of topic on which it is
    published (empty: it is made for one stream), and whether it is replayed when a stream resumes
    (if not, it is transient: the next one replaces it)."""

    schema: str
    topics: tuple[str, ...] = ()
    replayed: bool = False


UKM, PERSONAL, SYNC, QUEUE, ALERT = "ukm", "user", "sync", "queue", "alert"

EVENTS: Mapping[str, EventType] = {
    "chat.message": EventType("Message", (UKM,), replayed=True),
    "chat.edited": EventType("Message", (UKM,), replayed=True),
    "chat.deleted": EventType("Message", (UKM,), replayed=True),
    "chat.reaction": EventType("ReactionEvent", (UKM,), replayed=True),
    "chat.person": EventType("PersonEvent", (UKM,), replayed=True),
    "chat.typing": EventType("TypingEvent", (UKM,)),
    "presence": EventType("Presence", (UKM,)),
    "ukm.changed": EventType("UkmState", (UKM,), replayed=True),
    "membership": EventType("MembershipEvent", (UKM, PERSONAL), replayed=True),
    "ukm.reports": EventType("ReportsEvent", (PERSONAL,)),
    "ukm.readers": EventType("ReadersEvent", (UKM,)),
    "ukm.requests": EventType("RequestsEvent", (PERSONAL,)),
    "ukm.refused": EventType("RefusedEvent", (PERSONAL,)),
    "unread": EventType("UnreadEvent", (PERSONAL,)),
    "sync.progress": EventType("Progress", (SYNC,)),
    "sync.log": EventType("SyncLogEvent", (SYNC,), replayed=True),
    "sync.siswa": EventType("SyncSiswaEvent", (SYNC,), replayed=True),
    "queue.health": EventType("QueueHealth", (QUEUE,)),
    "queue.history": EventType("QueueHistoryEvent", (QUEUE,)),
    "alert": EventType("AlertEvent", (ALERT,), replayed=True),
    "export.progress": EventType("Export", (PERSONAL,)),
    "export.ended": EventType("Export", (PERSONAL,), replayed=True),
    "account.role": EventType("RoleEvent", (PERSONAL,), replayed=True),
    "heartbeat": EventType("HeartbeatEvent"),
    "reset": EventType("ResetEvent"),
    "bye": EventType("ByeEvent"),
}


def check(topic: str, type: str, *, replayed: bool) -> None:  # noqa: A002 (the SSE field's name)
    """Raise `ValueError` unless `EVENTS` has this type with this kind of topic and `replayed`."""
    known = EVENTS.get(type)
    if known is None or known.replayed != replayed or topic.partition(":")[0] not in known.topics:
        raise ValueError(f"{type} on {topic} is not in the list of events")


def to_json(data: Any) -> str:
    """Return an event's payload as browsers receive it: one line of JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
