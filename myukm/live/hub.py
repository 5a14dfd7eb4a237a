"""The hub: one reader of events per web process, for all its streams.

An event received by pub/sub is sent at once if it has the next number. The log is polled when a
number is missing, and every `POLL_SECONDS` (`DEGRADED_POLL_SECONDS` while Valkey is unreachable).
Valkey, the database and the heartbeats have a thread each, so that none of them waits for another.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby

import redis
from sqlalchemy.exc import SQLAlchemyError

from myukm.live.event_log import LoggedEvent
from myukm.live.events import SYNC
from myukm.live.fan_out import FanOut
from myukm.live.snapshots import Snapshots
from myukm.live.sse import bye, heartbeat
from myukm.live.subscriber import Subscriber
from myukm.live.subscription import Subscription
from myukm.logs.outages import Outage

BATCH = 500
POLL_SECONDS, DEGRADED_POLL_SECONDS = 2.0, 1.0
RECONNECT_SECONDS = 1.0
RIGHTS_SECONDS = 3.0  # plus POLL_SECONDS: a stream loses a revoked right within 5 s
RECEIVE_SECONDS = 0.5
START_SECONDS = 1.0  # the first stream waits so long for Valkey, to miss no transient event
HEARTBEAT_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Hub:
    """Reads events once and fans them out. The app is passed in as callables.

    `connect()` opens a Valkey client of the hub's own, `newest()` and `since(seq, limit)` read
    the log, `rights(keys)` returns each log-in's topics (absent: the log-in ended). `snapshots` is
    read every second while Valkey is unreachable. `on_ended(subscribers)` is called with those
    whose streams ended. `degraded`: Valkey is unreachable.
    """

    def __init__(
        self,
        connect: Callable[[], redis.Redis],
        newest: Callable[[], int],
        since: Callable[[int, int], Sequence[LoggedEvent]],
        rights: Callable[[Iterable[str]], Mapping[str, frozenset[str]]],
        snapshots: Snapshots,
        on_ended: Callable[[Collection[Subscriber]], None],
    ) -> None:
        self._connect, self._newest, self._since = connect, newest, since
        self._rights, self.snapshots, self._on_ended = rights, snapshots, on_ended
        self.streams = FanOut()
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._wake = threading.Event()
        self._checking, self._rights_at = threading.Lock(), 0.0
        self._listening = threading.Event()
        self.degraded, self._closed = False, threading.Event()
        self._valkey = Outage(logger, "live hub: Valkey unreachable, polling the database")
        self._database = Outage(logger, "live hub: the database does not answer")
        # Unexpected errors are logged as outages of one operation each, because no thread may end.
        self._polling = Outage(logger, "live hub: poll")
        self._sending = Outage(logger, "live hub: heartbeat")
        self._receiving = Outage(logger, "live hub: received events")
        self._ending = Outage(logger, "live hub: streams that ended")

    @property
    def closing(self) -> bool:
        """Whether `close()` was called: the server shuts down."""
        return self._closed.is_set()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Send events to `subscriber` from now on. Its cursor becomes the last number sent."""
        self.streams.audience.add(subscriber)
        subscriber.cursor = self.streams.seq
        if self.closing:  # the request arrived during the shutdown
            subscriber.end()

    def close(self) -> None:
        """End every stream, because the server shuts down."""
        self._closed.set()
        self._wake.set()
        self.streams.end_all(bye)
        self._report_ended_streams()

    def start(self) -> None:
        """Start the hub's threads, unless they run already."""
        with self._starting:
            if any(thread.is_alive() for thread in self._threads):
                return
            self.streams.seq = self._newest()
            loops = (self._listen, self._read_database, self._send_heartbeats)
            self._threads = [
                threading.Thread(target=loop, name="live-hub", daemon=True) for loop in loops
            ]
            for thread in self._threads:
                thread.start()
            self._listening.wait(START_SECONDS)

    def _send_heartbeats(self) -> None:
        while not self._closed.wait(HEARTBEAT_SECONDS):
            self._send_heartbeat()

    def _send_heartbeat(self) -> None:
        with self._sending.survived():
            self.streams.send(heartbeat(len(self.streams.audience), degraded=self.degraded))

    def _set_degraded(self, degraded: bool) -> None:
        """Send a heartbeat at once if `degraded` changes, because an outage may end before the next
        regular heartbeat, and a page reconnects only after an outage that it was informed of."""
        if degraded != self.degraded:
            self.degraded = degraded
            self._send_heartbeat()

    def _listen(self) -> None:
        """Receive from Valkey."""
        subscription: Subscription | None = None
        while not self.closing:
            try:
                subscription = subscription or self._open_subscription()
                received = subscription.receive(RECEIVE_SECONDS)
                self._set_degraded(False)
                self._valkey.worked()
            except Exception as error:  # noqa: BLE001 (whatever it was, nothing is received)
                self._valkey.failed(error)
                if subscription:
                    subscription.close()
                subscription, received = None, []
                self._set_degraded(True)
                self._wake.set()
                time.sleep(RECONNECT_SECONDS)
            if received:
                with self._receiving.survived():
                    self._receive([event for data in received for event in parse(data)])
            with self._ending.survived():
                self._report_ended_streams()

    def _report_ended_streams(self) -> None:
        if ended := self.streams.take_ended():
            self._on_ended(ended)

    def _open_subscription(self) -> Subscription:
        subscription = Subscription(self._connect())
        self._listening.set()
        self._wake.set()  # events published before this subscription are in the log
        return subscription

    def _receive(self, events: Iterable[LoggedEvent]) -> None:
        for is_rights, group in groupby(events, lambda event: event.topic == "rights"):
            if is_rights:  # before later events, which some streams may no longer receive
                with self._checking:  # wait for a running check, which may have read the old rights
                    self._rights_at = 0.0
                self._catch_up()
            else:
                self._dispatch(list(group))

    def _dispatch(self, events: Sequence[LoggedEvent]) -> None:
        for event in events:
            if event.seq is None:
                self.snapshots.changed(event)
        if not self.streams.dispatch(events):
            self._wake.set()

    def _read_database(self) -> None:
        """Poll the database for rights, and for events that Valkey did not deliver."""
        while not self.closing:
            self._wake.wait(DEGRADED_POLL_SECONDS if self.degraded else POLL_SECONDS)
            self._wake.clear()
            self._catch_up()

    def _catch_up(self) -> None:
        with self._polling.survived():
            self._poll_database()

    def _poll_database(self) -> None:
        try:
            with self._checking:  # before the log is read, whose events some may no longer receive
                self._check_rights()
            self._poll_log()
            self._send_progress()
        except SQLAlchemyError as error:
            self._database.failed(error)
        else:
            self._database.worked()

    def _send_progress(self) -> None:
        """While Valkey is unreachable, send the sync's progress, which is published only there."""
        if self.degraded:
            self.streams.send(self.snapshots.of([SYNC])[SYNC], SYNC)

    def _poll_log(self) -> None:
        """Read log events after the last dispatched number."""
        seq = self.streams.seq
        while events := self._since(seq, BATCH):
            first = events[0].seq or 0
            if first > seq + 1:  # events were pruned unread: clients must reset
                self.streams.end_all()
                self.streams.seq = max(self.streams.seq, first - 1)
            self.streams.dispatch(events)
            if len(events) < BATCH:
                return
            seq = events[-1].seq or seq

    def _check_rights(self) -> None:
        """Re-check the rights of all streams, many in one query."""
        if time.monotonic() - self._rights_at < RIGHTS_SECONDS:
            return
        began, subscribers = time.monotonic(), self.streams.audience.all()
        for first in range(0, len(subscribers), BATCH):
            batch = subscribers[first : first + BATCH]
            rights = self._rights({subscriber.key for subscriber in batch})
            for subscriber in batch:
                self._apply_rights(subscriber, rights.get(subscriber.key))
        self._rights_at = began

    def _apply_rights(self, subscriber: Subscriber, allowed: frozenset[str] | None) -> None:
        if allowed is None:
            self.streams.drop(subscriber)
            return
        topics = subscriber.allowed_topics(allowed)
        if topics != subscriber.topics:
            self.streams.audience.change_topics(subscriber, topics)


def parse(data: bytes) -> list[LoggedEvent]:
    """Return the events in a pub/sub message; none if another program published on our channel."""
    try:
        return [LoggedEvent(*entry) for entry in json.loads(data)]
    except (ValueError, TypeError):
        logger.warning("live hub: dropped a malformed pub/sub message")
        return []
