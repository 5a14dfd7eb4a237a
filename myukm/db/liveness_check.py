"""Liveness check of the database server: a web process queries it every second.

Without this check each connection would notice a server that hangs or vanished only by its own
time-out, after ten seconds at the earliest (`timeouts`). If the query gets no response in
`ANSWER_SECONDS`, the process shuts down all its connections. Requests that wait for the database
then get an error at once, and the breaker refuses new connections.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from myukm.logs.outages import Outage

EVERY_SECONDS, ANSWER_SECONDS = 1.0, 3.0

logger = logging.getLogger(__name__)


class LivenessCheck:
    """Checks the server of `engine`, which must not have opened a connection yet.

    `probing` is a separate engine for the query, so that the query never waits for the pool.
    """

    def __init__(self, engine: Engine, probing: Engine) -> None:
        self._engine, self._probing = engine, probing
        # Weak, because a connection whose set-up failed causes no `close` event.
        self._open = WeakValueDictionary[int, Any]()
        for each in (engine, probing):
            event.listen(each, "connect", self._note_open)
            event.listen(each, "close", self._note_closed)

    def start(self) -> None:
        """Begin to check, in a thread (a greenlet under gevent)."""
        threading.Thread(target=self._run, name="database-liveness", daemon=True).start()

    def _run(self) -> None:
        outage = Outage(logger, "database: no answer, closing connections")
        while True:
            time.sleep(EVERY_SECONDS)
            if self._answers():
                outage.worked()
            else:
                outage.failed(f"none for {ANSWER_SECONDS:g} s")
                self._end_waiting_connections()

    def _answers(self) -> bool:
        """Return whether the server responds in time, be it with an error."""
        began = time.monotonic()
        query = threading.Thread(target=self._query, name="database-liveness", daemon=True)
        query.start()
        query.join(ANSWER_SECONDS)
        if time.monotonic() - began > ANSWER_SECONDS + EVERY_SECONDS:
            # `join` returned late, because this process was busy: the response may have arrived.
            query.join(ANSWER_SECONDS)
            return not query.is_alive()
        return not query.is_alive() and time.monotonic() - began < 0.9 * ANSWER_SECONDS

    def _query(self) -> None:
        try:
            with self._probing.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            logger.debug("database: %s", error)

    def _end_waiting_connections(self) -> None:
        for connection in tuple(self._open.values()):
            # AttributeError: a closed connection of pymysql has no socket.
            already_closed = (OSError, AttributeError, self._engine.dialect.loaded_dbapi.Error)
            with contextlib.suppress(*already_closed):
                _shut_down(connection)

    def _note_open(self, connection: Any, _record: Any) -> None:
        self._open[id(connection)] = connection

    def _note_closed(self, connection: Any, _record: Any) -> None:
        self._open.pop(id(connection), None)


def _shut_down(connection: Any) -> None:
    """Shut down a connection's socket, so that a thread that waits on it gets an error."""
    descriptor = connection.fileno() if hasattr(connection, "fileno") else connection._sock.fileno()
    with socket.socket(fileno=os.dup(descriptor)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
