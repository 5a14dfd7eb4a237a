"""A system at its limit of threads."""

import threading


def no_thread(_: threading.Thread) -> None:
    """Raise what `Thread.start` raises then."""
    raise RuntimeError("can't start new thread")
