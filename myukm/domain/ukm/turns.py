"""Turns at a UKM's row: its rush must not take the connections that all others need."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from flask_babel import lazy_gettext as _

from myukm.db.session import is_in_transaction, release_connection
from myukm.errors import Unavailable

AT_ONCE, WAIT_SECONDS = 2, 3.0

_semaphores: WeakValueDictionary[str, threading.Semaphore] = WeakValueDictionary()
_lock = threading.Lock()


@contextmanager
def turn(code: str) -> Iterator[None]:
    """Hold one of `AT_ONCE` turns of this process at the row of the UKM `code`.

    Waits without a connection to the database: who locks the row is at work or next, and nobody
    else queues there. Raises `Unavailable` after `WAIT_SECONDS`. Inside `transaction()` it does
    not wait, because that holds a connection already.
    """
    if is_in_transaction():
        yield
        return
    with _lock:
        semaphore = _semaphores.setdefault(code, threading.Semaphore(AT_ONCE))
    if not semaphore.acquire(blocking=False):
        release_connection()
        if not semaphore.acquire(timeout=WAIT_SECONDS):
            text = _("UKM ini sedang ramai sekali. Coba lagi sebentar lagi.")
            raise Unavailable(text, code="busy", retry_after=1)
    try:
        yield
    finally:
        semaphore.release()
