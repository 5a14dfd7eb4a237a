"""The hub's subscription to the events that are published through Valkey."""

import time

import redis
from redis.client import PubSub

from myukm.live.pubsub import CHANNEL

PING_SECONDS, ANSWER_SECONDS, PROBE_SECONDS = 2.0, 3.0, 5.0
MAX_TOGETHER = 100
PROBE_KEY = "myukm:nothing"


class Subscription:
    """A subscription that detects a lost server.

    A server that vanished sends no error, so a PING is sent after `PING_SECONDS` of silence. A
    server that became a replica keeps the connection, although events are now published on another
    server. In both cases the constructor and `receive` raise `redis.RedisError` or `OSError`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._pubsub: PubSub = client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(CHANNEL)
        if self._pubsub.get_message(timeout=ANSWER_SECONDS) is None:
            raise redis.TimeoutError("no answer to SUBSCRIBE")
        self._probe()
        self._received_at = self._pinged_at = time.monotonic()

    def receive(self, timeout: float) -> list[bytes]:
        """Wait at most `timeout` seconds for a message, and return all that have arrived, up to
        `MAX_TOGETHER`."""
        found: list[bytes] = []
        while len(found) < MAX_TOGETHER and (message := self._next(0 if found else timeout)):
            found.append(message)
        return found

    def _next(self, timeout: float) -> bytes | None:
        message = self._pubsub.get_message(timeout=timeout)
        now = time.monotonic()
        if message:
            self._received_at = now
        awaits_pong = self._pinged_at > self._received_at
        if awaits_pong and now - self._pinged_at > ANSWER_SECONDS:
            raise redis.TimeoutError("no answer to PING")
        if not awaits_pong and now - self._received_at > PING_SECONDS:
            self._pinged_at = now
            self._pubsub.ping()
        if now - self._probed_at > PROBE_SECONDS:
            self._probe()
        return message["data"] if message and message["type"] == "message" else None

    def _probe(self) -> None:
        """Send a write without effect, which a replica refuses. The client's connection is as old
        as the subscription's, so it leads to the same server."""
        self._probed_at = time.monotonic()
        self._client.delete(PROBE_KEY)

    def close(self) -> None:
        """Close the connections."""
        self._pubsub.close()
        self._client.close()
