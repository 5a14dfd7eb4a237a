"""Graceful shutdown: long work polls `requested` and releases what is unfinished."""

import contextlib
import os
import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
requested = threading.Event()


def install_handler() -> None:
    """Make SIGTERM request a shutdown instead of ending the process. Main thread only."""
    signal.signal(signal.SIGTERM, _request)


def stop_when_closed(pipe: int) -> None:
    """Ask this process to stop when the other end of `pipe` closes: its parent is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    # Signals are blocked in this thread: one blocked in the main thread would end the process here.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _request(_signal: int, _frame: FrameType | None) -> None:
    requested.set()
