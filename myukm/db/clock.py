"""The database's clock, by which all machines write and compare times.

Its offset from this machine's monotonic clock is measured at each new connection, and again by a
periodic task (`ops/host_reports.py`). So `now()` needs no query, and does not depend on this
machine's wall clock, which may be wrong. SQLite has no clock of its own: the wall clock is used.
"""

import time
from datetime import UTC, datetime
from typing import Any

_QUERIES = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT utc_timestamp(6)"}


class _Clock:
    # The database's time minus the monotonic clock, in seconds; None until measured.
    offset: float | None = None


_clock = _Clock()


def now() -> datetime:
    """Return the database's time, in UTC; this machine's until the first measurement."""
    if _clock.offset is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(time.monotonic() + _clock.offset, UTC)


def skew() -> float:
    """Return by how many seconds this machine's wall clock is ahead of the database's."""
    return 0.0 if _clock.offset is None else time.time() - time.monotonic() - _clock.offset


def measure(connection: Any, backend: str) -> None:
    """Measure the database's clock by a driver's connection without an open transaction.

    A change of the offset smaller than the measurement error (half the round trip) is ignored, so
    that `now()` does not jump back.
    """
    if backend not in _QUERIES:
        return
    before = time.monotonic()
    cursor = connection.cursor()
    cursor.execute(_QUERIES[backend])
    moment = cursor.fetchone()[0]
    after = time.monotonic()
    cursor.close()
    connection.rollback()
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    offset = moment.timestamp() - (before + after) / 2
    if _clock.offset is None or abs(offset - _clock.offset) > (after - before) / 2:
        _clock.offset = offset
