"""`queue.health` for the open pages: sent when something changed, at most every two seconds."""

import time
from collections.abc import Mapping
from typing import Any

from myukm.i18n import campus_language
from myukm.live import wake
from myukm.ops import doctor, stats

EVERY_SECONDS = 2.0
FLEETING = frozenset({"at", "heartbeat_seconds_ago"})


class HealthTeller:
    """Remembers what was told last, so that idle queues cost the pages nothing."""

    def __init__(self) -> None:
        self._told: Any = None
        self._next = 0.0

    def tell_health(self) -> None:
        """Send the figures and the doctor's findings to who listens, when they are news."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        with campus_language():
            health = {**stats.health(), "doctor": doctor.report()}
        if (news := _lasting(health)) != self._told and wake.tell("queue", "queue.health", health):
            self._told = news


def _lasting(value: Any) -> Any:
    """Return `value` without what changes at every look."""
    if isinstance(value, Mapping):
        return {key: _lasting(each) for key, each in value.items() if key not in FLEETING}
    return [_lasting(each) for each in value] if isinstance(value, list) else value
