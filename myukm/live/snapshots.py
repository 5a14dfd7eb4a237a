"""Snapshots: the events that give a new stream the state of its topics. Each topic is read at most
once a second for all new streams."""

import time
from collections.abc import Callable, Collection, Iterable

from myukm.live.event_log import LoggedEvent
from myukm.live.sse import encode

MAX_AGE_SECONDS = 1.0


class _Snapshot:
    """A topic's state as it was read, and the bytes of the changes since."""

    def __init__(self) -> None:
        self.made_at = time.monotonic()
        self.is_read = False
        self.data = b""

    def is_old(self) -> bool:
        return time.monotonic() - self.made_at >= MAX_AGE_SECONDS


class Snapshots:
    """The state of topics as the bytes of their transient events.

    `read(topics)` returns the events that state how these topics are now.
    """

    def __init__(self, read: Callable[[Collection[str]], Iterable[LoggedEvent]]) -> None:
        self._read = read
        self._snapshots: dict[str, _Snapshot] = {}

    def of(self, topics: Collection[str]) -> dict[str, bytes]:
        """Return the state of each topic, at most a second old, with the changes since."""
        fresh: dict[str, bytearray] = {}
        # References of this call, because `changed` may delete entries of `_snapshots` meanwhile.
        found: dict[str, _Snapshot] = {}
        for topic in topics:
            snapshot = self._snapshots.get(topic)
            if snapshot is None or not snapshot.is_read or snapshot.is_old():
                # A snapshot that another call is reading has no state yet. The new one is stored
                # before the read, so that `changed` adds changes made during the read.
                snapshot = self._snapshots[topic] = _Snapshot()
                fresh[topic] = bytearray()
            found[topic] = snapshot
        try:
            for event in self._read(fresh) if fresh else ():
                fresh[event.topic] += encode(event)
        except BaseException:
            self._snapshots = {
                name: snapshot for name, snapshot in self._snapshots.items() if name not in fresh
            }
            raise
        for topic, data in fresh.items():
            found[topic].data = bytes(data) + found[topic].data
            found[topic].is_read = True
        return {topic: snapshot.data for topic, snapshot in found.items()}

    def changed(self, event: LoggedEvent) -> None:
        """Add a transient event to the state that new streams get."""
        if snapshot := self._snapshots.get(event.topic):
            if snapshot.is_read and snapshot.is_old():
                del self._snapshots[event.topic]
            else:
                snapshot.data += encode(event)
