"""The hub: one reader of events per web process, which fans out to all subscribers.

An event is encoded once, and every subscriber of its topic gets the same bytes. An event received
by pub/sub is dispatched at once if it has the next number. The log is polled when a number is
missing, and every `POLL_SECONDS` (every `AWAY_SECONDS` while Valkey is unreachable).
"""

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import redis
from redis.client import PubSub
from sqlalchemy.exc import SQLAlchemyError

from myukm.live.event_log import LoggedEvent
from myukm.live.pubsub import CHANNEL
from myukm.live.sse import encode
from myukm.live.subscriber import Chunk, Subscriber

BATCH = 500
YIELD_EVERY = 256
POLL_SECONDS, AWAY_SECONDS, RIGHTS_SECONDS = 2.0, 1.0, 4.0

logger = logging.getLogger(__name__)


class Hub:
    """Reads events once and dispatches them to subscribers. The app is passed in as callables.

    `connect()` opens a Valkey client of the hub's own, `newest()` and `since(seq, limit)` read
    the log, `rights(keys)` returns each log-in's topics (absent: the log-in ended), `states()`
    what is otherwise told by Valkey alone; it is asked every second while Valkey is away.
    """

    def __init__(
        self,
        connect: Callable[[], redis.Redis],
        newest: Callable[[], int],
        since: Callable[[int, int], Sequence[LoggedEvent]],
        rights: Callable[[Iterable[str]], Mapping[str, frozenset[str]]],
        states: Callable[[], Iterable[LoggedEvent]],
    ) -> None:
        self._connect, self._newest, self._since = connect, newest, since
        self._rights, self._states = rights, states
        self._all: set[Subscriber] = set()
        self._by_topic: dict[str, set[Subscriber]] = defaultdict(set)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._polled_at = self._checked_at = 0.0
        self.away = False
        self.seq = -1
        self.closing = False

    def subscribe(self, subscriber: Subscriber) -> None:
        """Dispatch to `subscriber` from now on; earlier events are read by its stream."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self.seq = self._newest()
                self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
                self._thread.start()
            self._all.add(subscriber)
            for topic in subscriber.topics:
                self._by_topic[topic].add(subscriber)
        if self.closing:  # the request arrived during the shutdown
            subscriber.close()

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove `subscriber`; nothing is written to it any more."""
        subscriber.detach()
        with self._lock:
            self._all.discard(subscriber)
            for topic in subscriber.topics:
                self._by_topic[topic].discard(subscriber)

    def subscribers(self) -> set[Subscriber]:
        """Return all current subscribers."""
        with self._lock:
            return set(self._all)

    def close(self) -> None:
        """End every stream, because the server shuts down."""
        self.closing = True
        self._close_all()

    def _close_all(self) -> None:
        for subscriber in self.subscribers():
            subscriber.close()

    def _run(self) -> None:
        pubsub: PubSub | None = None
        while not self.closing:
            try:
                pubsub = pubsub or self._open_pubsub()
                if message := pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5):
                    self._receive(parse(message["data"]))
                self.away = False
            except (redis.RedisError, OSError) as error:
                logger.warning("live hub: Valkey unreachable (%s), polling the database", error)
                pubsub, self.away = None, True
                time.sleep(AWAY_SECONDS)
                self._polled_at = 0.0
            self._upkeep()

    def _open_pubsub(self) -> PubSub:
        pubsub: PubSub = self._connect().pubsub()  # type: ignore[no-untyped-call]
        pubsub.subscribe(CHANNEL)
        self._polled_at = 0.0  # poll now: events published before this subscription are in the log
        return pubsub

    def _receive(self, entries: Sequence[LoggedEvent]) -> None:
        for entry in entries:
            if entry.topic == "rights":
                self._checked_at = 0.0
            elif entry.seq is None:
                self._dispatch(entry)
            elif entry.seq == self.seq + 1:
                self.seq = entry.seq
                self._dispatch(entry)
            elif entry.seq > self.seq:
                self._polled_at = 0.0

    def _upkeep(self) -> None:
        now = time.monotonic()
        try:
            if now - self._polled_at >= POLL_SECONDS:
                self._polled_at = now
                self._poll_log()
                self._send_snapshots()
            if now - self._checked_at >= RIGHTS_SECONDS:
                self._checked_at = now
                self._check_rights()
        except SQLAlchemyError as error:
            logger.warning("live hub: the database does not answer: %s", error)

    def _poll_log(self) -> None:
        """Read log events after the last dispatched number."""
        while entries := self._since(self.seq, BATCH):
            if entries[0].seq != self.seq + 1:  # events were pruned unread: clients must reset
                self._close_all()
            for entry in entries:
                self.seq = entry.seq or self.seq
                self._dispatch(entry)
            if len(entries) < BATCH:
                return

    def _send_snapshots(self) -> None:
        if self.away:
            for entry in self._states():
                self._dispatch(entry)

    def _dispatch(self, entry: LoggedEvent) -> None:
        if entry.data is None:
            return
        with self._lock:
            subscribers = tuple(self._by_topic.get(entry.topic, ()))
        if subscribers:
            chunk = Chunk.of(entry.seq, encode(entry))
            for count, subscriber in enumerate(subscribers, 1):
                subscriber.push(chunk)
                if count % YIELD_EVERY == 0:
                    time.sleep(0)  # let other requests run between thousands of writes

    def _check_rights(self) -> None:
        """Re-check the rights of all streams in one query."""
        subscribers = self.subscribers()
        if not subscribers:
            return
        rights = self._rights({subscriber.key for subscriber in subscribers})
        for subscriber in subscribers:
            allowed = rights.get(subscriber.key)
            if allowed is None:
                subscriber.close()
            elif subscriber.allowed_topics(allowed) != subscriber.topics:
                self._change_topics(subscriber, subscriber.allowed_topics(allowed))

    def _change_topics(self, subscriber: Subscriber, topics: frozenset[str]) -> None:
        with self._lock:
            if subscriber not in self._all:
                return
            for topic in subscriber.topics - topics:
                self._by_topic[topic].discard(subscriber)
            for topic in topics - subscriber.topics:
                self._by_topic[topic].add(subscriber)
            subscriber.topics = topics


def parse(data: bytes) -> list[LoggedEvent]:
    """Return the events in a pub/sub message; none if another program published on our channel."""
    try:
        return [LoggedEvent(*entry) for entry in json.loads(data)]
    except (ValueError, TypeError):
        logger.warning("live hub: dropped a malformed pub/sub message")
        return []
