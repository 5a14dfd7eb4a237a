"""Cooperative multitasking: long work in a web process, which has one thread, regularly lets other
requests run."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
YIELD_EVERY = 10  # items, which take some milliseconds
# Not 0: after sleeps of 0 s gevent looks for new requests only once in fifty times.
SHORT_SECONDS = 1e-6


def yield_control(*_progress: object) -> None:
    """Let other requests run (under gevent), then return. May be given as a progress callback, so
    it ignores its arguments."""
    time.sleep(SHORT_SECONDS)


def cooperatively(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and let other requests run after each `YIELD_EVERY` of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % YIELD_EVERY == 0:
            yield_control()
