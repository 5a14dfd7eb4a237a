"""Publishes a state of a UKM, such as unread counts, at most once per interval."""

import logging
from collections.abc import Callable
from typing import cast

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage

MAX_AT_ONCE = 100


class Debounced:
    """Publishes at once if the interval has passed since the last time; else the leader publishes.

    `key` is the key in Valkey of the set of UKMs that wait, and the prefix of the intervals' keys;
    `milliseconds` is the interval; `publish` takes a UKM's id.
    """

    def __init__(self, key: str, milliseconds: int, publish: Callable[[int], None]) -> None:
        self.key, self._milliseconds, self._publish = key, milliseconds, publish
        self._outage = Outage(logging.getLogger(__name__), f"{key}: not published, no Valkey")

    def publish(self, ukm_id: int) -> None:
        """Publish now, or after the interval if it has not passed since the last time.

        Without Valkey nothing is published, because pages read the state when they connect again.
        """
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
        """Publish for the UKMs that wait and whose interval has passed (a leader task).

        Raises RedisError, and the errors of `publish`; the remaining UKMs then wait on."""
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
            # The interval has begun, so without this no process would publish for the UKM.
            valkey().sadd(self.key, ukm_id)
            raise
