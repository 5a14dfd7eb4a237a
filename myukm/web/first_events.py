"""The first bytes of new streams, read for many streams at once: missed events, current state."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from myukm.domain import event_rendering
from myukm.domain.presence import presence_list
from myukm.domain.sync import progress
from myukm.domain.ukm import unread
from myukm.live import event_log
from myukm.live.event_log import LoggedEvent
from myukm.live.events import to_json
from myukm.live.hub import Hub
from myukm.live.snapshots import Snapshots
from myukm.live.sse import encode, first_heartbeat, message
from myukm.live.subscriber import Subscriber
from myukm.live.topics import personal_topic, ukm_topic
from myukm.ops import stats

MAX_REPLAYED = 1000  # events
MAX_DIGITS = 18  # of a cursor: larger numbers do not fit into the column


class Span(NamedTuple):
    """The events that a stream missed: numbers above `after`, its cursor, up to `until`, the newest
    event when the stream joined."""

    after: int
    until: int
    topics: frozenset[str]

    def has(self, event: LoggedEvent) -> bool:
        """Return whether the stream missed this event."""
        return self.after < (event.seq or 0) <= self.until and event.topic in self.topics

    @property
    def is_empty(self) -> bool:
        """Whether no event was written since the cursor."""
        return self.until <= self.after

    @property
    def is_long(self) -> bool:
        """Whether more than `MAX_REPLAYED` events, of all topics, were written since the cursor."""
        return self.until - self.after > MAX_REPLAYED


def read(
    hub: Hub, snapshots: Snapshots, streams: Sequence[tuple[str | None, Subscriber]]
) -> list[tuple[bytes | None, bytes]]:
    """Return for each cursor and subscriber the bytes of the missed events (None: the cursor is
    unknown, pruned or more than `MAX_REPLAYED` events back), and those of the current state."""
    newest = cache(event_log.latest_seq)
    missed = replay([_span(text, subscriber, newest) for text, subscriber in streams])
    states = _states(snapshots, [subscriber for _, subscriber in streams])
    open_streams = len(hub.streams.audience)
    return [
        (events, first_heartbeat(subscriber.cursor, open_streams, degraded=hub.degraded) + state)
        for events, state, (_, subscriber) in zip(missed, states, streams, strict=True)
    ]


def _span(text: str | None, subscriber: Subscriber, newest: Callable[[], int]) -> Span | None:
    """Return the events missed since the cursor; None if it is no number or in the future.

    A cursor newer than what this hub has read becomes the subscriber's cursor, so that nothing is
    sent twice.
    """
    if text is not None and not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        return None
    cursor = subscriber.cursor if text is None else int(text)
    if cursor > subscriber.cursor and cursor > newest():
        return None
    subscriber.cursor = max(cursor, subscriber.cursor)
    return Span(cursor, subscriber.cursor, subscriber.topics)


def replay(spans: Sequence[Span | None]) -> list[bytes | None]:
    """Return the bytes of each span's events; None where the span is None, its events are too many,
    or some of them were pruned."""
    recent = _read_together(
        [span for span in spans if span and not span.is_empty and not span.is_long]
    )
    found = [_bytes_of(span, recent) for span in spans]
    # Read the log's start last: events pruned during the read must lead to a reset, not a gap.
    missing = any(span and not span.is_empty for span in spans)
    oldest = event_log.oldest_seq() if missing else 0
    return [
        None if span and span.after < min(oldest - 1, span.until) else events
        for span, events in zip(spans, found, strict=True)
    ]


def _read_together(spans: Sequence[Span]) -> list[tuple[LoggedEvent, bytes]]:
    if not spans:
        return []
    after, until = min(span.after for span in spans), max(span.until for span in spans)
    topics = frozenset[str]().union(*(span.topics for span in spans))
    events = event_rendering.since(after, until - after, topics, until=until)
    return [(event, encode(event)) for event in events if event.data is not None]


def _bytes_of(span: Span | None, recent: Iterable[tuple[LoggedEvent, bytes]]) -> bytes | None:
    if span is None:
        return None
    if not span.is_long:
        return b"".join(data for event, data in recent if span.has(event))
    events = event_rendering.since(span.after, MAX_REPLAYED + 1, span.topics, until=span.until)
    if len(events) > MAX_REPLAYED:
        return None
    return b"".join(encode(event) for event in events if event.data is not None)


def _states(snapshots: Snapshots, subscribers: Sequence[Subscriber]) -> list[bytes]:
    """Return the current state of each subscriber's topics, for `me` the unread counts."""
    topics = frozenset[str]().union(*(subscriber.topics for subscriber in subscribers))
    owners = {personal_topic(each.owner): each.owner for each in subscribers}
    personal = topics & owners.keys()
    states = snapshots.of([topic for topic in topics if not topic.startswith("user:")])
    counts = unread.counts({owners[topic] for topic in personal}) if personal else {}
    for topic in personal:
        states[topic] = b"".join(message("unread", count) for count in counts[owners[topic]])
    return [
        b"".join(states.get(topic, b"") for topic in subscriber.topics)
        for subscriber in subscribers
    ]


def topic_states(topics: Collection[str]) -> Iterator[LoggedEvent]:
    """Yield the current state of the topics that have transient events: progress, queue health,
    presence."""
    if "sync" in topics:
        yield LoggedEvent(None, "sync", "sync.progress", to_json(progress.current()))
    if "queue" in topics:
        yield LoggedEvent(None, "queue", "queue.health", to_json(stats.health()))
    codes = [topic.removeprefix("ukm:") for topic in topics if topic.startswith("ukm:")]
    for person in presence_list.snapshots(codes) if codes else ():
        yield LoggedEvent(None, ukm_topic(person["ukm"]), "presence", to_json(person))
