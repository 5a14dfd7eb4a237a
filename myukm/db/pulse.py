"""The pulse of the database: when it stops, this process closes all its connections.

A server that hangs, or whose machine vanished, is noticed by a waiting connection after ten seconds
at the earliest (`timeouts`), and by each connection of the pool for itself. So a web process sends
the smallest query every second. Without an answer it closes all its connections: waiting requests
get an error at once, and the breaker refuses the others.
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


class Pulse:
    """Watches the server of `engine`, which must not have opened a connection yet.

    `probing` is an engine of its own for the query, so that it waits for no other connection.
    """

    def __init__(self, engine: Engine, probing: Engine) -> None:
        self._engine, self._probing = engine, probing
        # Weak, because a connection whose set-up failed causes no `close` event.
        self._open = WeakValueDictionary[int, Any]()
        self._stopped = threading.Event()
        for each in (engine, probing):
            event.listen(each, "connect", self._note_open)
            event.listen(each, "close", self._note_closed)

    def start(self) -> None:
        """Begin to watch, in a thread (a greenlet under gevent)."""
        threading.Thread(target=self._run, name="database-pulse", daemon=True).start()

    def _run(self) -> None:
        outage = Outage(logger, "database: no answer, closing connections")
        while not self._stopped.wait(EVERY_SECONDS):
            if self._answers():
                outage.worked()
            else:
                outage.failed(f"none for {ANSWER_SECONDS:g} s")
                self._end_waits()

    def _answers(self) -> bool:
        """Return whether the server answers in time. An error in time is an answer, too."""
        began = time.monotonic()
        question = threading.Thread(target=self._ask, name="database-pulse", daemon=True)
        question.start()
        question.join(ANSWER_SECONDS)
        if time.monotonic() - began > ANSWER_SECONDS + EVERY_SECONDS:
            # This process was late itself, and the answer may be there.
            question.join(ANSWER_SECONDS)
            return not question.is_alive()
        return not question.is_alive() and time.monotonic() - began < 0.9 * ANSWER_SECONDS

    def _ask(self) -> None:
        try:
            with self._probing.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            logger.debug("database: %s", error)

    def _end_waits(self) -> None:
        for connection in tuple(self._open.values()):
            # AttributeError: pymysql's closed connection has no socket.
            gone = (OSError, AttributeError, self._engine.dialect.loaded_dbapi.Error)
            with contextlib.suppress(*gone):
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
