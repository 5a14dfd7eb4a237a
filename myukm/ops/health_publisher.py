"""Publishes the event `queue.health` on changes, at most every three seconds."""

import time
from collections.abc import Mapping
from typing import Any

from myukm.live import pubsub
from myukm.ops import doctor, stats

EVERY_SECONDS = 2.5  # the leader's tasks run once a second
VOLATILE_FIELDS = frozenset({"at", "heartbeat_seconds_ago"})


class HealthPublisher:
    """Publishes queue health only on changes, so that idle queues cause no events."""

    def __init__(self) -> None:
        self._published: Any = None
        self._next = 0.0

    def publish(self) -> None:
        """Publish the statistics and the doctor's findings if they changed."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        health = {**stats.health(), "doctor": doctor.report()}
        if (news := _stable(health)) != self._published and pubsub.publish_transient(
            "queue", "queue.health", health
        ):
            self._published = news


def _stable(value: Any) -> Any:
    """Return `value` without fields that change at every poll."""
    if isinstance(value, Mapping):
        return {key: _stable(each) for key, each in value.items() if key not in VOLATILE_FIELDS}
    return [_stable(each) for each in value] if isinstance(value, list) else value
