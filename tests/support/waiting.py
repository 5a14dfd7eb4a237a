"""Waiting for a condition instead of a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MIN_PAUSE, MAX_PAUSE = 0.02, 0.4


def wait_until(condition: Callable[[], T], timeout: float = 30.0, what: str = "") -> T:
    """Return the first true value of `condition`. Raises AssertionError after `timeout` seconds.

    It pauses five times as long as the last check took, so that the checks leave the processor to
    the program.
    """
    deadline = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what or condition}; last: {value!r}")
        time.sleep(min(max(5 * (now - began), MIN_PAUSE), MAX_PAUSE))
