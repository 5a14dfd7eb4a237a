"""The event log's bounds: a day, and so many events. What is older is deleted from its start.

Events are deleted in order of their numbers, never by age alone: what is left has no gap, so a
cursor is either answered in full or by a `reset`.
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
# A deletion holds the write lock of SQLite: its size follows the time that the last one took.
MIN_PORTION, MAX_PORTION = 1_000, 5_000
PORTION_SECONDS = 0.01
# The leader has other duties every second; writers get in between two portions.
RUN_SECONDS, PAUSE_SECONDS = 0.5, 0.01


class Pruner:
    """Deletes what is beyond the bounds; of two at once each deletes a part."""

    def __init__(self) -> None:
        self._portion = MIN_PORTION
        self._deleted = 0  # up to this number; PostgreSQL walks over deleted rows until its vacuum

    def prune(self) -> bool:
        """Delete portions for at most `RUN_SECONDS`; return whether there is more."""
        ends = time.monotonic() + RUN_SECONDS
        while portion := self._next():
            if time.monotonic() > ends:
                return True
            self._delete(*portion)
            time.sleep(PAUSE_SECONDS)
        return False

    def _next(self) -> tuple[int, int] | None:
        """Return the first and last number of the next portion; None when there is no more."""
        first = db.session.scalar(select(func.min(Event.seq)).where(Event.seq > self._deleted))
        if first is None:
            return None
        newest = event_log.latest_seq()
        end, beyond = min(first + self._portion - 1, newest), newest - MAX_EVENTS
        last = end if end <= beyond else max(beyond, _last_old(first, end))
        return (first, last) if last >= first else None

    def _delete(self, first: int, last: int) -> None:
        with transaction() as session:
            began = time.monotonic()
            # Both ends: with one alone PostgreSQL reads the whole table while it has no statistics.
            session.execute(delete(Event).where(Event.seq.between(first, last)))
        self._portion = next_portion(self._portion, time.monotonic() - began)
        self._deleted = last


def _last_old(first: int, end: int) -> int:
    """Return the last number from `first` to `end` before the first event that is young."""
    young = select(func.min(Event.seq)).where(
        Event.seq.between(first, end), Event.at >= utcnow() - MAX_AGE
    )
    found = db.session.scalar(young)
    return end if found is None else found - 1


def next_portion(portion: int, seconds: float) -> int:
    """Return how many events to delete at once when `portion` of them took so many seconds."""
    fitting = int(portion * PORTION_SECONDS / max(seconds, 1e-6))
    return max(MIN_PORTION, min(fitting, portion * 2, MAX_PORTION))


class Size(NamedTuple):
    """How many events the log holds, and when the oldest of them happened."""

    events: int
    oldest_at: datetime | None


def size() -> Size:
    """Return the size of the log; its numbers have no gap, so nothing has to be counted."""
    oldest = event_log.oldest_seq()
    at = db.session.scalar(select(Event.at).where(Event.seq == oldest))
    return Size(event_log.latest_seq() - oldest + 1, at)
