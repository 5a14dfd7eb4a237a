"""A circuit breaker for connections to the database."""

import threading
import time
from typing import Any

RESET_SECONDS = 1.0


class ConnectBreaker:
    """Refuses connections for `RESET_SECONDS` after one failed, and then lets one try at a time.

    Otherwise each request would wait for the whole connect time-out of a silent server.
    """

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._closed_until = 0.0
        self._trying = threading.Lock()

    def connect(self, dialect: Any, _record: Any, cargs: Any, cparams: Any) -> Any:
        """Listener of `do_connect`: return a new connection, or raise the last one's error."""
        error = self._error  # read once, because another thread's success removes it
        if error is None:
            return self._try(dialect, cargs, cparams)
        if time.monotonic() < self._closed_until or not self._trying.acquire(blocking=False):
            raise dialect.loaded_dbapi.OperationalError(*error.args)
        try:
            return self._try(dialect, cargs, cparams)
        finally:
            self._trying.release()

    def _try(self, dialect: Any, cargs: Any, cparams: Any) -> Any:
        try:
            connection = dialect.connect(*cargs, **cparams)
        except dialect.loaded_dbapi.Error as error:
            self._error = error
            self._closed_until = time.monotonic() + RESET_SECONDS
            raise
        self._error = None
        return connection
