"""Lets other requests run while a long answer is built, because a web process has one thread."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
EVERY = 10  # items, which take some milliseconds
# Not 0: gevent would look for new requests only after each fiftieth of such sleeps.
SHORT_SECONDS = 1e-6


def give_way(*_progress: object) -> None:
    """Let other requests run (under gevent), then go on."""
    time.sleep(SHORT_SECONDS)


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and let other requests run after each `EVERY` of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % EVERY == 0:
            give_way()
