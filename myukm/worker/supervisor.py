"""A pre-fork supervisor: runs each process function in a child and restarts it when it exits.

The parent has imported the app but has no threads and no connections, so it can fork safely at any
time. The children share its memory and start in milliseconds.
"""

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

from myukm.backoff import backoff
from myukm.logs import shipper
from myukm.shutdown import SIGNALS, stop_when_closed

WARM_SECONDS = 6.0
LONG_LIFE_SECONDS = 10.0
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 5.0
RELOAD = signal.SIGHUP

logger = logging.getLogger(__name__)
_forks = multiprocessing.get_context("fork")

ProcessMain = Callable[[], int]


class _Child:
    """One supervised process. `pause` (seconds) is the time before its restart, which grows with
    early exits in a row."""

    def __init__(self, name: str, main: Callable[[], None]) -> None:
        self.name, self.main = name, main
        self.process: ForkProcess | None = None
        self.pause, self.next_start = 0.0, 0.0
        self._born = 0.0
        self._early_ends = 0

    def start(self) -> None:
        self._born = time.monotonic()
        self.process = _forks.Process(target=self.main, name=self.name)
        self.process.start()

    def ended(self) -> int | None:
        """Return the exit status if the process ended since the last call, else None."""
        if self.process is None or self.process.is_alive():
            return None
        status, self.process = self.process.exitcode, None
        now = time.monotonic()
        long_life = now - self._born > LONG_LIFE_SECONDS
        self._early_ends = 0 if long_life else self._early_ends + 1
        self.pause = backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, max(0, self._early_ends - 1))
        self.next_start = now + self.pause
        return status


class Supervisor:
    """Supervises `processes`: main functions by name, each returning its exit status."""

    def __init__(self, processes: Mapping[str, ProcessMain]) -> None:
        self._lifeline, self._end = os.pipe()
        self._reading, self._writing = os.pipe()
        self._children = [_Child(name, self._in_child(main)) for name, main in processes.items()]
        self._signals: list[int] = []

    @property
    def stopped(self) -> bool:
        """Whether a signal requested the shutdown."""
        return bool(self._signals)

    def run(self) -> int:
        """Keep all processes running until SIGTERM or SIGINT and return the exit status.

        SIGHUP stops them and executes the program again, which loads the new code.
        """
        self._listen()
        while not self._signals:
            for child in self._children:
                if child.process is None and child.next_start <= time.monotonic():
                    child.start()
            self._wait(self._running(), self._poll_timeout())
            self._report()
        self._shutdown()
        if not set(self._signals) & set(SIGNALS):
            logger.info("restarting")
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606 (our own command line)
        return 0

    def run_once(self) -> set[int]:
        """Run each process once until it ends or a signal comes; return their exit statuses."""
        self._listen()
        for child in self._children:
            child.start()
        running = self._running()
        while (alive := _alive(running)) and not self._signals:
            self._wait(alive, None)
        self._shutdown()
        return {process.exitcode or 0 for process in running}

    def _listen(self) -> None:
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing)
        for number in (*SIGNALS, RELOAD):
            signal.signal(number, lambda number, _frame: self._signals.append(number))

    def _in_child(self, main: ProcessMain) -> Callable[[], None]:
        def run() -> None:
            signal.set_wakeup_fd(-1)
            for number in (*SIGNALS, RELOAD):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (self._end, self._reading, self._writing):
                os.close(descriptor)
            stop_when_closed(self._lifeline)
            try:
                status = main()
            finally:
                shipper.flush()
            sys.exit(status)

        return run

    def _poll_timeout(self) -> float | None:
        waiting = [child.next_start for child in self._children if child.process is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _running(self) -> list[ForkProcess]:
        """Return the processes that run, or whose end `ended` has not reported yet."""
        return [child.process for child in self._children if child.process]

    def _wait(self, processes: Sequence[ForkProcess], timeout: float | None) -> None:
        """Wait until one of these processes ends, a signal comes, or `timeout` seconds pass.

        Returns at once if one has ended already.
        """
        sentinels = [process.sentinel for process in processes]
        if self._reading in wait([self._reading, *sentinels], timeout):
            os.read(self._reading, 64)

    def _report(self) -> None:
        for child in self._children:
            if (status := child.ended()) is not None:
                logger.warning("%s ended (%s); restart in %.1f s", child.name, status, child.pause)

    def _shutdown(self) -> None:
        """Stop all processes; kill those left after `WARM_SECONDS` or at a second signal."""
        running = self._running()
        deadline = time.monotonic() + WARM_SECONDS
        asked = len(self._signals)
        for process in running:
            process.terminate()
        while (alive := _alive(running)) and len(self._signals) == asked:
            if (left := deadline - time.monotonic()) <= 0:
                break
            self._wait(alive, left)
        for process in running:
            process.kill()
            process.join()


def _alive(processes: Sequence[ForkProcess]) -> list[ForkProcess]:
    return [process for process in processes if process.is_alive()]
