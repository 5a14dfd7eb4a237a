"""Adds this process's counters to the totals in Valkey. A periodic task of every process."""

import time

from myukm import instruments
from myukm.extensions import valkey

FLUSH_SECONDS = 5.0


class InstrumentFlush:
    """Flushes every five seconds; a killed process loses only its counts since the last flush."""

    def __init__(self) -> None:
        self._next = 0.0

    def run(self) -> None:
        """Flush, unless the last flush is less than five seconds ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + FLUSH_SECONDS
            instruments.flush(valkey())
