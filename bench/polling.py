"""Polling that ends although the polled program does not."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
STUCK_SECONDS = 120.0


def states(
    read: Callable[[], T], pause: float, what: str, stuck: float = STUCK_SECONDS
) -> Iterator[T]:
    """Yield what `read` returns, again after each `pause` (seconds).

    Raises SystemExit when it has stayed the same for `stuck` seconds. A limit for the whole would
    have to know how large and how slow the run was made.
    """
    state, changed = read(), time.monotonic()
    while time.monotonic() - changed < stuck:
        yield state
        time.sleep(pause)
        before, state = state, read()
        if state != before:
            changed = time.monotonic()
    sys.exit(f"{what} has not moved for {stuck:g} s: {state}")
