"""Limits the concurrent writers of a UKM, because all that wait for the lock of its row would hold
a database connection."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException

from myukm.errors import Unavailable

MAX_AT_ONCE, WAIT_SECONDS = 2, 3.0

View = TypeVar("View", bound=Callable[..., Any])

_semaphores: WeakValueDictionary[str, threading.Semaphore] = WeakValueDictionary()
_lock = threading.Lock()


def in_turn(view: View) -> View:
    """Let at most `MAX_AT_ONCE` requests per UKM and process run views that lock the UKM's row.

    Further requests wait without a database connection, and get 503 after `WAIT_SECONDS`.
    Put this decorator above those that check the log-in, because that check needs a connection.
    """

    @wraps(view)
    def waiting(code: str, **kwargs: Any) -> Any:
        with suppress(HTTPException):
            request.get_data()  # a slow sender must not hold a turn meanwhile
        with turn(code):
            return view(code=code, **kwargs)

    return cast(View, waiting)


@contextmanager
def turn(code: str) -> Iterator[None]:
    """Hold one of the UKM's `MAX_AT_ONCE` turns. Raises `Unavailable` after `WAIT_SECONDS`."""
    with _lock:
        semaphore = _semaphores.setdefault(code, threading.Semaphore(MAX_AT_ONCE))
    if not semaphore.acquire(timeout=WAIT_SECONDS):
        text = _("UKM ini sedang ramai sekali. Coba lagi sebentar lagi.")
        raise Unavailable(text, code="busy", retry_after=1)
    try:
        yield
    finally:
        semaphore.release()
