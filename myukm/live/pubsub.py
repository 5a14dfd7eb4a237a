"""Pub/sub: delivers events to the hubs of all web processes through Valkey.

It only makes delivery faster: replayable events are in the log, which hubs poll.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import RedisError

from myukm.extensions import valkey

CHANNEL = "myukm:live"
logger = logging.getLogger(__name__)


def publish(entries: Sequence[tuple[int | None, str, str, str]]) -> bool:
    """Publish events (`seq`, topic, type, JSON text) and return whether Valkey accepted them."""
    try:
        valkey().publish(CHANNEL, json.dumps(entries))
    except RedisError as error:
        logger.warning("live: could not publish, hubs will poll: %s", error)
        return False
    return True


def publish_transient(topic: str, type: str, data: Any) -> bool:  # noqa: A002 (the SSE field's name)
    """Publish a transient event (typing, presence, progress), which is not replayed."""
    return publish_many([(topic, type, data)])


def publish_many(events: Iterable[tuple[str, str, Any]]) -> bool:
    """Publish transient events, each a topic, a type and its data, in one pub/sub message."""
    entries = [
        (None, topic, type, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        for topic, type, data in events  # noqa: A001 (the SSE field's name)
    ]
    return publish(entries)
