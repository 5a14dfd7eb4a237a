"""Publishes something of a UKM at most once per interval, however often it changes."""

import logging
from collections.abc import Callable
from typing import cast

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage

MAX_AT_ONCE = 100


class Debounced:
    """Publishes at once unless it did so within the interval; else the leader publishes later.

    `key` is its name in Valkey, `milliseconds` the interval, and `publish` takes a UKM's id.
    """

    def __init__(self, key: str, milliseconds: int, publish: Callable[[int], None]) -> None:
        self.key, self._milliseconds, self._publish = key, milliseconds, publish
        self._outage = Outage(logging.getLogger(__name__), f"{key}: not published, no Valkey")

    def publish(self, ukm_id: int) -> None:
        """Publish now, or after the interval if it has not passed since the last time.

        Without Valkey nothing is published; pages read the state when they connect."""
        try:
            if valkey().set(f"{self.key}:{ukm_id}", b"1", nx=True, px=self._milliseconds):
                self._publish_at_once(ukm_id)
            else:
                valkey().sadd(self.key, ukm_id)
        except RedisError as error:
            self._outage.failed(error)
        else:
            self._outage.worked()

    def publish_pending(self) -> None:
        """Publish what waits and whose interval has passed (a leader task).

        Raises RedisError, and what `publish` raises; the UKMs not reached then still wait."""
        pending = cast(list[bytes], valkey().spop(self.key, MAX_AT_ONCE))
        try:
            while pending:
                self.publish(int(pending.pop()))
        finally:
            if pending:
                valkey().sadd(self.key, *pending)

    def _publish_at_once(self, ukm_id: int) -> None:
        try:
            self._publish(ukm_id)
        except Exception:
            # Its interval has begun, so nobody else would publish it.
            valkey().sadd(self.key, ukm_id)
            raise
