"""Publishes a state of a UKM, such as unread counts, at most once per interval."""

import logging
from collections.abc import Callable
from typing import cast

from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.outages import Outage

MAX_AT_ONCE = 100


class Debounced:
    """Publishes at once if the interval since the last publication has passed; otherwise the leader
    publishes when it has.

    `key` is the key of the set in Valkey of the UKMs that wait; the key `<key>:<UKM's id>` exists
    during a UKM's interval of `milliseconds`. `publish` takes a UKM's id and returns whether Valkey
    accepted what it published.
    """

    def __init__(self, key: str, milliseconds: int, publish: Callable[[int], bool]) -> None:
        self.key, self._milliseconds, self._publish = key, milliseconds, publish
        self._outage = Outage(logging.getLogger(__name__), f"{key}: not published, no Valkey")

    def publish(self, ukm_id: int) -> None:
        """Publish now, or after the interval if it has not passed since the last time.

        Without Valkey nothing is published, because pages read the state when they connect again.
        """
        try:
            if self._begin_interval(ukm_id):
                self._publish_at_once(ukm_id)
            else:
                valkey().sadd(self.key, ukm_id)
        except RedisError as error:
            self._outage.failed(error)
        else:
            self._outage.worked()

    def publish_pending(self) -> None:
        """Publish for the UKMs that wait and whose interval has passed (a leader task).

        Raises RedisError, and the errors of `publish`; the remaining UKMs then stay in the set."""
        for member in cast(list[bytes], valkey().srandmember(self.key, MAX_AT_ONCE)):
            ukm_id = int(member)
            if self._begin_interval(ukm_id):
                # Before the state is read, because a change after that waits for the next interval.
                valkey().srem(self.key, ukm_id)
                self._publish_at_once(ukm_id)

    def _begin_interval(self, ukm_id: int) -> bool:
        """Begin the UKM's interval; return False if one is running."""
        name = f"{self.key}:{ukm_id}"
        return bool(valkey().set(name, b"1", nx=True, px=self._milliseconds))

    def _publish_at_once(self, ukm_id: int) -> None:
        is_published = False
        try:
            is_published = self._publish(ukm_id)
        finally:
            # The interval has begun, so without this no process would publish for the UKM.
            if not is_published:
                valkey().sadd(self.key, ukm_id)
