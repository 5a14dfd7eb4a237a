"""Work for the processor (hashing, pictures) in threads: other requests go on meanwhile."""

import threading
from collections.abc import Callable
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
    """So many threads of this process, and a line before them that has an end.

    Each thread may need much memory, so there are few; they are the pool's own, because a thread
    keeps some of that memory.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self.threads = threads
        self._free = threading.BoundedSemaphore(threads)
        self._slots = threading.BoundedSemaphore(threads + max_waiting)

    def call(self, function: Callable[..., Result], *args: object) -> Result:
        """Call in a thread under gevent, directly otherwise. Raises `Unavailable` at once when
        too many wait already.

        `function` holds no lock of Python's for long, and raises nothing that is to be expected:
        what escapes from the pool is printed there with its trace.
        """
        if not self._slots.acquire(blocking=False):
            text = _("Server sedang sibuk. Coba lagi beberapa detik lagi.")
            raise Unavailable(text, code="busy", retry_after=RETRY_SECONDS)
        try:
            release_connection()
            with self._free:
                return self._run(function, args)
        finally:
            self._slots.release()

    def _run(self, function: Callable[..., Result], args: tuple[object, ...]) -> Result:
        if is_module_patched("threading"):
            return cast(Result, self._pool.apply(function, args))
        return function(*args)

    @cached_property
    def _pool(self) -> ThreadPool:
        return ThreadPool(self.threads)
