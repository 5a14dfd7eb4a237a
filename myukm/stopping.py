"""Whether this process was asked to stop: long work looks here and gives back what is open."""

import contextlib
import os
import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
requested = threading.Event()


def listen() -> None:
    """Let SIGTERM ask for the stop instead of ending the process. Main thread only."""
    signal.signal(signal.SIGTERM, _ask)


def stop_with(pipe: int) -> None:
    """Ask this process to stop when the other end of `pipe` closes: its parent is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    # The thread takes no signals: one that the main thread holds back would end the process there.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _ask(_signal: int, _frame: FrameType | None) -> None:
    requested.set()
