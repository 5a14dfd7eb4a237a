"""Adds this process's counters to those of all processes. A periodic task of every process."""

import time

from myukm import instruments
from myukm.extensions import valkey

EVERY_SECONDS = 5.0


class InstrumentFlush:
    """Flushes every five seconds; a process that is killed loses at most what it counted since."""

    def __init__(self) -> None:
        self._next = 0.0

    def run(self) -> None:
        """Flush, if that is due."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            instruments.flush(valkey())
