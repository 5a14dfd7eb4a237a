"""Publishes the event `queue.health` when the queues or the doctor's findings change."""

from collections.abc import Mapping
from typing import Any

from myukm.live import pubsub
from myukm.ops import doctor, stats

VOLATILE_FIELDS = frozenset({"at", "heartbeat_seconds_ago"})


class HealthPublisher:
    """Publishes an event only on changes, so that idle queues cause no events."""

    def __init__(self) -> None:
        self._published: Any = None

    def publish(self) -> None:
        """Publish the statistics and the doctor's findings if they changed."""
        health = {**stats.health(), "doctor": doctor.report()}
        if (news := _stable(health)) != self._published and pubsub.publish_transient(
            "queue", "queue.health", health
        ):
            self._published = news

    def reset(self) -> None:
        """Publish at the next call whatever it is, because another process publishes until then."""
        self._published = None


def _stable(value: Any) -> Any:
    """Return `value` without fields that change at every poll."""
    if isinstance(value, Mapping):
        return {key: _stable(each) for key, each in value.items() if key not in VOLATILE_FIELDS}
    return [_stable(each) for each in value] if isinstance(value, list) else value
