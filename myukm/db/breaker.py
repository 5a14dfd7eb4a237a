"""A circuit breaker for connections to the database."""

import threading
import time
from typing import Any

RESET_SECONDS = 1.0


class ConnectBreaker:
    """Refuses to connect for `RESET_SECONDS` after a failure, then allows one attempt at a time.

    Otherwise each request would wait for the whole connect time-out of a silent server.
    """

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._refusing_until = 0.0
        self._one_try = threading.Lock()

    def connect(self, dialect: Any, _record: Any, cargs: Any, cparams: Any) -> Any:
        """Listener of `do_connect`: return a new connection, or raise the last attempt's error."""
        error = self._error  # read once, because another thread may reset it
        if error is None:
            return self._try(dialect, cargs, cparams)
        if time.monotonic() < self._refusing_until or not self._one_try.acquire(blocking=False):
            raise dialect.loaded_dbapi.OperationalError(*error.args)
        try:
            return self._try(dialect, cargs, cparams)
        finally:
            self._one_try.release()

    def _try(self, dialect: Any, cargs: Any, cparams: Any) -> Any:
        try:
            connection = dialect.connect(*cargs, **cparams)
        except dialect.loaded_dbapi.Error as error:
            self._error = error
            self._refusing_until = time.monotonic() + RESET_SECONDS
            raise
        self._error = None
        return connection
