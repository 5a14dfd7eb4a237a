"""The hub's subscription to the events that are published through Valkey."""

import time

import redis
from redis.client import PubSub

from myukm.live.pubsub import CHANNEL

PING_SECONDS, ANSWER_SECONDS, PROBE_SECONDS = 2.0, 3.0, 5.0
MAX_TOGETHER = 100
PROBE = "myukm:nothing"


class Subscription:
    """A connection that notices silence: a server that vanished sends no error, so a PING is sent
    every `PING_SECONDS`. Creating and reading raise `redis.RedisError` or `OSError` when no answer
    comes within `ANSWER_SECONDS`, or when the server has become a replica, because the address may
    lead to another server by now."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._pubsub: PubSub = client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(CHANNEL)
        if self._pubsub.get_message(timeout=ANSWER_SECONDS) is None:
            raise redis.TimeoutError("no answer to SUBSCRIBE")
        self._probe()
        self._heard_at = self._asked_at = time.monotonic()

    def receive(self, timeout: float) -> list[bytes]:
        """Wait at most `timeout` seconds for a message; return it with those that have arrived."""
        found: list[bytes] = []
        while len(found) < MAX_TOGETHER and (message := self._next(0 if found else timeout)):
            found.append(message)
        return found

    def _next(self, timeout: float) -> bytes | None:
        message = self._pubsub.get_message(timeout=timeout)
        now = time.monotonic()
        if message:
            self._heard_at = now
        waits = self._asked_at > self._heard_at
        if waits and now - self._asked_at > ANSWER_SECONDS:
            raise redis.TimeoutError("no answer to PING")
        if not waits and now - self._heard_at > PING_SECONDS:
            self._asked_at = now
            self._pubsub.ping()
        if now - self._probed_at > PROBE_SECONDS:
            self._probe()
        return message["data"] if message and message["type"] == "message" else None

    def _probe(self) -> None:
        """Send a write without effect, which a replica refuses, on a connection as old as the
        subscription's."""
        self._probed_at = time.monotonic()
        self._client.delete(PROBE)

    def close(self) -> None:
        """Close the connections."""
        self._pubsub.close()
        self._client.close()
