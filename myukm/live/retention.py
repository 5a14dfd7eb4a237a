"""Retention of the event log: at most `MAX_AGE` and `MAX_EVENTS`; older events are deleted.

Events are deleted in order of their numbers, never by age alone, so the remaining events have no
gap: a stream that resumes gets either all events after its cursor or a `reset`.
"""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.event_log import Event

MAX_AGE = timedelta(days=1)
MAX_EVENTS = 200_000
# Rows per deletion. A deletion holds SQLite's write lock, so `next_portion` adapts their number to
# take `PORTION_SECONDS`.
MIN_PORTION, MAX_PORTION = 1_000, 5_000
PORTION_SECONDS = 0.01
# The longest time of a call, because the leader has other tasks; and the pause after a deletion, in
# which other transactions can write.
RUN_SECONDS, PAUSE_SECONDS = 0.5, 0.01


class Pruner:
    """Deletes events beyond the bounds. Safe to run in two processes at once."""

    def __init__(self) -> None:
        self._portion = MIN_PORTION
        # The last deleted number. Queries begin after it, because PostgreSQL scans deleted rows
        # until the next vacuum.
        self._deleted_until = 0

    def prune(self) -> bool:
        """Delete portions for at most `RUN_SECONDS`; return whether more is left."""
        ends = time.monotonic() + RUN_SECONDS
        while portion := self._next():
            if time.monotonic() > ends:
                return True
            self._delete(*portion)
            time.sleep(PAUSE_SECONDS)
        return False

    def _next(self) -> tuple[int, int] | None:
        """Return the first and last number of the next portion; None if nothing is left."""
        first = db.session.scalar(
            select(func.min(Event.seq)).where(Event.seq > self._deleted_until)
        )
        if first is None:
            return None
        newest = event_log.latest_seq()
        end, beyond = min(first + self._portion - 1, newest), newest - MAX_EVENTS
        last = end if end <= beyond else max(beyond, _last_old(first, end))
        return (first, last) if last >= first else None

    def _delete(self, first: int, last: int) -> None:
        with transaction() as session:
            began = time.monotonic()
            # With one bound only, PostgreSQL without statistics would scan the whole table.
            session.execute(delete(Event).where(Event.seq.between(first, last)))
        self._portion = next_portion(self._portion, time.monotonic() - began)
        self._deleted_until = last


def _last_old(first: int, end: int) -> int:
    """Return the last number from `first` to `end` before the first event within `MAX_AGE`."""
    recent = select(func.min(Event.seq)).where(
        Event.seq.between(first, end), Event.at >= utcnow() - MAX_AGE
    )
    found = db.session.scalar(recent)
    return end if found is None else found - 1


def next_portion(portion: int, seconds: float) -> int:
    """Return the size of the next portion, after one of `portion` events took `seconds`."""
    fitting = int(portion * PORTION_SECONDS / max(seconds, 1e-6))
    return max(MIN_PORTION, min(fitting, portion * 2, MAX_PORTION))


class Size(NamedTuple):
    """The number of events in the log, and the time of the oldest."""

    events: int
    oldest_at: datetime | None


def size() -> Size:
    """Return the size of the log, from its first and last number, because there are no gaps."""
    oldest = event_log.oldest_seq()
    at = db.session.scalar(select(Event.at).where(Event.seq == oldest))
    return Size(event_log.latest_seq() - oldest + 1, at)
