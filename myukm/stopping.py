"""Whether this process was asked to stop: long work looks here and gives back what is open."""

import signal
import threading
from types import FrameType

requested = threading.Event()


def listen() -> None:
    """Let SIGTERM ask for the stop instead of ending the process. Main thread only."""
    signal.signal(signal.SIGTERM, _ask)


def _ask(_signal: int, _frame: FrameType | None) -> None:
    requested.set()
