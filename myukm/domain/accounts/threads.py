"""Thread pools for CPU-bound work (hashing, pictures), so that gevent serves other requests."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar, cast

from flask_babel import lazy_gettext as _
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

from myukm.db.session import release_connection
from myukm.errors import Unavailable

Result = TypeVar("Result")
RETRY_SECONDS = 5


class Pool:
    """A fixed number of threads of this process, with a bounded queue.

    Choose few threads, because each may need much memory. Pools share no threads, because a thread
    keeps some of the memory that it used.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self.threads = threads
        self.max_waiting = max_waiting
        self._free = threading.BoundedSemaphore(threads)
        self._slots = threading.BoundedSemaphore(threads + max_waiting)

    def call(self, function: Callable[..., Result], *args: object) -> Result:
        """Call `function` in a thread under gevent, directly otherwise, and return its result.

        `function` must release the GIL. It must return expected errors instead of raising them,
        because gevent prints the traceback of an exception that leaves the thread. Raises
        `Unavailable` at once if the queue is full.
        """
        with self.slot():
            return self._run(function, args)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free place and occupy it during the block, which works in a child process.

        Raises `Unavailable` at once if the queue is full.
        """
        if not self._slots.acquire(blocking=False):
            text = _("Server sedang sibuk. Coba lagi beberapa detik lagi.")
            raise Unavailable(text, code="busy", retry_after=RETRY_SECONDS)
        try:
            release_connection()
            with self._free:
                yield
        finally:
            self._slots.release()

    def _run(self, function: Callable[..., Result], args: tuple[object, ...]) -> Result:
        if is_module_patched("threading"):
            return cast(Result, self._pool.apply(function, args))
        return function(*args)

    @cached_property
    def _pool(self) -> ThreadPool:
        return ThreadPool(self.threads)
