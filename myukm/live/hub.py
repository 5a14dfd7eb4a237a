"""The hub: one reader of the events per web process, which hands each on to many listeners.

An event is encoded once; every listener of its topic gets the same bytes. What comes by pub/sub
goes out at once when it is the next number; the database is read when a number is missing and
from time to time (every second while Valkey is away).
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

from myukm.live.listener import Chunk, Listener
from myukm.live.log import Entry
from myukm.live.sse import encode
from myukm.live.wake import CHANNEL

BATCH = 500
TURN = 256
LOOK_SECONDS, AWAY_SECONDS, RIGHTS_SECONDS = 2.0, 1.0, 4.0

log = logging.getLogger(__name__)


class Hub:
    """Reads once, hands on to many. All it knows of the app comes as callables.

    `connect()` opens a Valkey client of the hub's own, `newest()` and `since(seq, limit)` read
    the log, `rights(keys)` returns each log-in's topics (absent: the log-in ended), `states()`
    what is otherwise told by Valkey alone; it is asked every second while Valkey is away.
    """

    def __init__(
        self,
        connect: Callable[[], redis.Redis],
        newest: Callable[[], int],
        since: Callable[[int, int], Sequence[Entry]],
        rights: Callable[[Iterable[str]], Mapping[str, frozenset[str]]],
        states: Callable[[], Iterable[Entry]],
    ) -> None:
        self._connect, self._newest, self._since = connect, newest, since
        self._rights, self._states = rights, states
        self._all: set[Listener] = set()
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._looked = self._checked = 0.0
        self._away = False
        self.seq = -1
        self.closing = False

    def join(self, listener: Listener) -> None:
        """Hand on to `listener` from now on; what was committed before is read by its stream."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self.seq = self._newest()
                self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
                self._thread.start()
            self._all.add(listener)
            for topic in listener.topics:
                self._by_topic[topic].add(listener)
        if self.closing:  # it came in while the server was already going away
            listener.close()

    def leave(self, listener: Listener) -> None:
        """Forget `listener`; nothing is written to it any more."""
        listener.release()
        with self._lock:
            self._all.discard(listener)
            for topic in listener.topics:
                self._by_topic[topic].discard(listener)

    def listeners(self) -> set[Listener]:
        """Return everyone who listens now."""
        with self._lock:
            return set(self._all)

    def close(self) -> None:
        """End every stream: the server is going away."""
        self.closing = True
        self._close_all()

    def _close_all(self) -> None:
        for listener in self.listeners():
            listener.close()

    def _run(self) -> None:
        pubsub: PubSub | None = None
        while not self.closing:
            try:
                pubsub = pubsub or self._subscribe()
                if heard := pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5):
                    self._hear(parse(heard["data"]))
                self._away = False
            except (redis.RedisError, OSError) as error:
                log.warning("live hub: Valkey is away (%s); the database is read instead", error)
                pubsub, self._away = None, True
                time.sleep(AWAY_SECONDS)
                self._looked = 0.0
            self._upkeep()

    def _subscribe(self) -> PubSub:
        pubsub: PubSub = self._connect().pubsub()  # type: ignore[no-untyped-call]
        pubsub.subscribe(CHANNEL)
        self._looked = 0.0  # what was published before we listened is in the log
        return pubsub

    def _hear(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.topic == "rights":
                self._checked = 0.0
            elif entry.seq is None:
                self._hand_on(entry)
            elif entry.seq == self.seq + 1:
                self.seq = entry.seq
                self._hand_on(entry)
            elif entry.seq > self.seq:
                self._looked = 0.0

    def _upkeep(self) -> None:
        now = time.monotonic()
        try:
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._look()
                self._tell_states()
            if now - self._checked >= RIGHTS_SECONDS:
                self._checked = now
                self._check_rights()
        except SQLAlchemyError as error:
            log.warning("live hub: the database does not answer: %s", error)

    def _look(self) -> None:
        """Read what the log has beyond the last number that we handed on."""
        while entries := self._since(self.seq, BATCH):
            if entries[0].seq != self.seq + 1:  # pruned before we read it: they start anew
                self._close_all()
            for entry in entries:
                self.seq = entry.seq or self.seq
                self._hand_on(entry)
            if len(entries) < BATCH:
                return

    def _tell_states(self) -> None:
        if self._away:
            for entry in self._states():
                self._hand_on(entry)

    def _hand_on(self, entry: Entry) -> None:
        with self._lock:
            readers = tuple(self._by_topic.get(entry.topic, ()))
        if readers:
            chunk = Chunk.of(entry.seq, encode(entry))
            for count, reader in enumerate(readers, 1):
                reader.put(chunk)
                if count % TURN == 0:
                    time.sleep(0)  # thousands of writes would hold up every other request

    def _check_rights(self) -> None:
        """Ask once for all streams what their readers may still see."""
        listeners = self.listeners()
        if not listeners:
            return
        rights = self._rights({listener.key for listener in listeners})
        for listener in listeners:
            allowed = rights.get(listener.key)
            if allowed is None:
                listener.close()
            elif listener.narrowed(allowed) != listener.topics:
                self._move(listener, listener.narrowed(allowed))

    def _move(self, listener: Listener, topics: frozenset[str]) -> None:
        with self._lock:
            if listener not in self._all:
                return
            for topic in listener.topics - topics:
                self._by_topic[topic].discard(listener)
            for topic in topics - listener.topics:
                self._by_topic[topic].add(listener)
            listener.topics = topics


def parse(data: bytes) -> list[Entry]:
    """Return the entries of a wake-up; none when somebody else's words came on our channel."""
    try:
        return [Entry(*entry) for entry in json.loads(data)]
    except (ValueError, TypeError):
        log.warning("live hub: a wake-up that is not ours was dropped")
        return []
