"""The wake-up: events go from the process that committed them to every hub by Valkey pub/sub.

Nothing depends on it: what is replayable is in the log, and a hub that hears nothing looks there.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import RedisError

from myukm.extensions import valkey

CHANNEL = "myukm:live"
log = logging.getLogger(__name__)


def publish(entries: Sequence[tuple[int | None, str, str, str]]) -> bool:
    """Send entries (`seq`, topic, type, JSON text) to the hubs; return whether Valkey took them."""
    try:
        valkey().publish(CHANNEL, json.dumps(entries))
    except RedisError as error:
        log.warning("live events wait for the hubs' next look: %s", error)
        return False
    return True


def tell(topic: str, type: str, data: Any) -> bool:  # noqa: A002 (the SSE field's name)
    """Send an event that is not replayed (typing, presence, progress) to who listens now."""
    return tell_all([(topic, type, data)])


def tell_all(events: Iterable[tuple[str, str, Any]]) -> bool:
    """Send events that are not replayed, each a topic, a type and its data, in one message."""
    entries = [
        (None, topic, type, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        for topic, type, data in events  # noqa: A001 (the SSE field's name)
    ]
    return publish(entries)
