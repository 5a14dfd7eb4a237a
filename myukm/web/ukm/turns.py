"""Turns at a UKM's row: its rush must not take the connections that all others need."""

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

AT_ONCE, WAIT_SECONDS = 2, 3.0

View = TypeVar("View", bound=Callable[..., Any])

_semaphores: WeakValueDictionary[str, threading.Semaphore] = WeakValueDictionary()
_lock = threading.Lock()


def in_turn(view: View) -> View:
    """Let two requests of this process at a time into a view that locks the row of a UKM.

    The others wait before they have touched the database, so they take no connection, and are
    refused with 503 after `WAIT_SECONDS`. Stands before what checks the log-in.
    """

    @wraps(view)
    def waiting(code: str, **kwargs: Any) -> Any:
        with suppress(HTTPException):
            request.get_data()  # who sends slowly must not hold a turn meanwhile
        with turn(code):
            return view(code=code, **kwargs)

    return cast(View, waiting)


@contextmanager
def turn(code: str) -> Iterator[None]:
    """Hold one of `AT_ONCE` turns at the UKM `code`. Raises `Unavailable` after `WAIT_SECONDS`."""
    with _lock:
        semaphore = _semaphores.setdefault(code, threading.Semaphore(AT_ONCE))
    if not semaphore.acquire(timeout=WAIT_SECONDS):
        text = _("UKM ini sedang ramai sekali. Coba lagi sebentar lagi.")
        raise Unavailable(text, code="busy", retry_after=1)
    try:
        yield
    finally:
        semaphore.release()
