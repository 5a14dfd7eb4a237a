"""Graceful shutdown: long jobs poll `requested` and release their unfinished work."""

import contextlib
import os
import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
requested = threading.Event()


def install_handler() -> None:
    """Make SIGTERM set `requested` instead of ending the process. Main thread only."""
    signal.signal(signal.SIGTERM, _request)


def stop_when_closed(pipe: int) -> None:
    """Request a shutdown when the other end of `pipe` closes, because the parent has died."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    start_without_signals(threading.Thread(target=wait, name="lifeline", daemon=True))


def start_without_signals(thread: threading.Thread) -> None:
    """Start a thread in which signals are blocked. Otherwise a signal that the main thread blocks
    would be delivered to this thread and end the process."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _request(_signal: int, _frame: FrameType | None) -> None:
    requested.set()
