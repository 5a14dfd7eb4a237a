"""Fan-out: sends events, in their order, to all subscribers of this process."""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby

from myukm import instruments
from myukm.cooperative import yield_control
from myukm.live.audience import Audience
from myukm.live.connection import Connection
from myukm.live.event_log import LoggedEvent
from myukm.live.sse import encode
from myukm.live.subscriber import Chunk, Subscriber

YIELD_EVERY = 500
WRITE_BYTES = 16 * 1024


class FanOut:
    """Encodes an event once and writes the same bytes to every subscriber of its topic.

    `seq` is the number of the last event that was sent.
    """

    def __init__(self) -> None:
        self.audience = Audience()
        self.seq = -1
        self._ended: list[Subscriber] = []
        # Held while events are sent, so that every stream gets them in order. The event loop never
        # takes this lock, because the loop must not wait.
        self._sending = threading.Lock()

    def connect(self, subscriber: Subscriber, fd: int, *, chunked: bool) -> None:
        """Write the events of `subscriber` to the file descriptor `fd`, and close it at the end."""
        with self._sending:
            ended = partial(self._remove, subscriber)
            subscriber.connect(Connection(fd, ended, chunked=chunked))

    def flush(self, subscriber: Subscriber) -> None:
        """Write as much of the backlog of `subscriber` as its reader takes."""
        with self._sending:
            subscriber.flush()

    def drop(self, subscriber: Subscriber) -> None:
        """End one stream."""
        with self._sending:
            subscriber.end()
        self._remove(subscriber)

    def end_all(self, last: Callable[[int], bytes] = lambda _: b"") -> None:
        """End every stream; `last(number of streams)` returns its last event."""
        with self._sending:
            subscribers = self.audience.all()
            for subscriber in subscribers:
                subscriber.end(last(len(subscribers)))

    def take_ended(self) -> list[Subscriber]:
        """Return the subscribers whose streams ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def dispatch(self, events: Iterable[LoggedEvent]) -> bool:
        """Send events that were not sent yet. If a number is missing, leave out the events after it
        and return False."""
        with self._sending:
            fresh, complete = self._take_next(events)
            for (topic, _), group in groupby(fresh, lambda event: (event.topic, event.seq is None)):
                if topic in self.audience:
                    self._send_group(topic, group)
        return complete

    def _take_next(self, events: Iterable[LoggedEvent]) -> tuple[list[LoggedEvent], bool]:
        fresh, complete = [], True
        for event in events:
            if event.seq is not None:
                if event.seq != self.seq + 1:
                    complete = complete and event.seq <= self.seq
                    continue
                self.seq = event.seq
            fresh.append(event)
        return fresh, complete

    def _send_group(self, topic: str, events: Iterable[LoggedEvent]) -> None:
        """Send events of one topic, joined to writes of at most `WRITE_BYTES`."""
        parts: list[Chunk] = []
        size = 0
        for event in events:
            if event.data is None:
                continue
            part = Chunk.of(event.seq, encode(event))
            if parts and size + len(part.plain) > WRITE_BYTES:
                self._send_parts(topic, parts)
                parts, size = [], 0
            parts.append(part)
            size += len(part.plain)
        if parts:
            self._send_parts(topic, parts)

    def _send_parts(self, topic: str, parts: Sequence[Chunk]) -> None:
        count = self._send(self.audience.of(topic), Chunk.join(parts))
        instruments.increment(instruments.SENT, by=count * len(parts))

    def send(self, data: bytes, topic: str | None = None) -> None:
        """Send the bytes of a transient event to every stream, or to those of `topic`."""
        with self._sending:
            subscribers = self.audience.all() if topic is None else self.audience.of(topic)
            self._send(subscribers, Chunk.of(None, data))

    def _send(self, subscribers: Iterable[Subscriber], chunk: Chunk) -> int:
        """Send a chunk and return the number of subscribers."""
        count = 0
        for count, subscriber in enumerate(subscribers, 1):
            subscriber.push(chunk)
            if count % YIELD_EVERY == 0:
                yield_control()  # between thousands of writes
        return count

    def _remove(self, subscriber: Subscriber) -> None:
        if self.audience.remove(subscriber):
            self._ended.append(subscriber)
