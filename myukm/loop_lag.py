"""Measures whether this process is too busy to notice the answers of servers in time."""

import threading
import time

TICK_SECONDS, LATE_SECONDS, RECENT_SECONDS = 0.1, 0.1, 0.5


class LoopLag:
    """Wakes ten times a second. If it wakes late, the other waits of this process end late, too."""

    def __init__(self) -> None:
        self._due = self._late_at = float("-inf")

    def start(self) -> None:
        """Begin to measure, in a thread (a greenlet under gevent)."""
        threading.Thread(target=self._run, name="loop-lag", daemon=True).start()

    def was_late(self) -> bool:
        """Return whether a wake-up is late now or was late within the last half second; False
        before `start()`."""
        now = time.monotonic()
        overdue = self._due > 0 and now - self._due > LATE_SECONDS
        return overdue or now - self._late_at < RECENT_SECONDS

    def _run(self) -> None:
        while True:
            self._due = time.monotonic() + TICK_SECONDS
            time.sleep(TICK_SECONDS)
            if time.monotonic() - self._due > LATE_SECONDS:
                self._late_at = time.monotonic()


loop_lag = LoopLag()
