"""Work for the processor (hashing, pictures) in a thread: other requests go on meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

from flask_babel import lazy_gettext as _
from gevent import get_hub
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

from myukm.errors import Unavailable

Result = TypeVar("Result")
RETRY_SECONDS = 5


class Slots:
    """Lets so many callers of this process work at once, and so many more wait in line."""

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + max_waiting)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot. Raises `Unavailable` at once when too many wait already."""
        if not self._places.acquire(blocking=False):
            text = _("Server sedang sibuk. Coba lagi beberapa detik lagi.")
            raise Unavailable(text, code="busy", retry_after=RETRY_SECONDS)
        try:
            with self._free:
                yield
        finally:
            self._places.release()


def aside(function: Callable[..., Result], *args: object) -> Result:
    """Call in gevent's thread pool under gevent, directly otherwise.

    `function` holds no lock of Python's for long, and raises nothing that is to be expected: what
    escapes from the pool is printed there with its trace.
    """
    return _apply(lambda: get_hub().threadpool, function, args)


def one_at_a_time(function: Callable[..., Result], *args: object) -> Result:
    """As `aside`, for what needs much memory: the process does one of them at a time."""
    return _apply(_lone_thread, function, args)


@cache
def _lone_thread() -> ThreadPool:
    return ThreadPool(1)


def _apply(pool: Callable[[], Any], function: Callable[..., Result], args: object) -> Result:
    if is_module_patched("threading"):
        return cast(Result, pool().apply(function, args))
    return function(*cast(tuple[Any, ...], args))
