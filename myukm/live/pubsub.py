"""Pub/sub: delivers events to the hubs of all web processes through Valkey.

For replayable events it only makes delivery faster, because hubs also poll the log.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.live import events
from myukm.logs.outages import Outage

CHANNEL = "myukm:live"
_outage = Outage(logging.getLogger(__name__), "live: could not publish, hubs will poll")


def publish(entries: Sequence[tuple[int | None, str, str, str]]) -> bool:
    """Publish events (`seq`, topic, type, JSON text) and return whether Valkey accepted them."""
    try:
        valkey().publish(CHANNEL, json.dumps(entries))
    except RedisError as error:
        _outage.failed(error)
        return False
    _outage.worked()
    return True


def publish_transient(topic: str, type: str, data: Any) -> bool:  # noqa: A002 (the SSE field's name)
    """Publish a transient event (typing, presence, progress), which is not replayed."""
    return publish_many([(topic, type, data)])


def publish_many(transient: Iterable[tuple[str, str, Any]]) -> bool:
    """Publish transient events, each a topic, a type and its data, in one pub/sub message.

    Raises `ValueError` for an event that is not in the list of events.
    """
    entries = []
    for topic, kind, data in transient:
        events.check(topic, kind, replayed=False)
        entries.append((None, topic, kind, events.to_json(data)))
    return publish(entries)
