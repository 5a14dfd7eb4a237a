"""The audience: all subscribers of this process, by topic and by account."""

import threading
from collections import Counter, defaultdict

from myukm.live.subscriber import Subscriber


class Audience:
    """A set of subscribers. Its lock is held only for a few set operations, because the event loop
    takes the lock as well and must not wait."""

    def __init__(self) -> None:
        self._all: set[Subscriber] = set()
        self._by_topic: dict[str, set[Subscriber]] = defaultdict(set)
        self._by_owner: Counter[int] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, topic: str) -> bool:
        return topic in self._by_topic

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber under its topics."""
        with self._lock:
            self._all.add(subscriber)
            self._by_owner[subscriber.owner] += 1
            self._add_to(subscriber, subscriber.topics)

    def remove(self, subscriber: Subscriber) -> bool:
        """Remove a subscriber and return whether it was there."""
        with self._lock:
            if subscriber not in self._all:
                return False
            self._all.remove(subscriber)
            self._by_owner[subscriber.owner] -= 1
            if not self._by_owner[subscriber.owner]:
                del self._by_owner[subscriber.owner]
            self._remove_from(subscriber, subscriber.topics)
            return True

    def change_topics(self, subscriber: Subscriber, topics: frozenset[str]) -> None:
        """Replace a subscriber's topics, if it is still here."""
        with self._lock:
            if subscriber in self._all:
                self._remove_from(subscriber, subscriber.topics - topics)
                self._add_to(subscriber, topics - subscriber.topics)
                subscriber.topics = topics

    def of(self, topic: str) -> tuple[Subscriber, ...]:
        """Return the subscribers of a topic."""
        with self._lock:
            return tuple(self._by_topic.get(topic, ()))

    def all(self) -> tuple[Subscriber, ...]:
        """Return all subscribers."""
        with self._lock:
            return tuple(self._all)

    def streams_of(self, owner: int) -> int:
        """Return how many streams an account has open here."""
        return self._by_owner[owner]

    def _add_to(self, subscriber: Subscriber, topics: frozenset[str]) -> None:
        for topic in topics:
            self._by_topic[topic].add(subscriber)

    def _remove_from(self, subscriber: Subscriber, topics: frozenset[str]) -> None:
        for topic in topics:
            self._by_topic[topic].discard(subscriber)
            if not self._by_topic[topic]:
                del self._by_topic[topic]
