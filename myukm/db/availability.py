"""Which errors mean that the database is unavailable, so that the same call may succeed later."""

import sqlite3
from typing import Any

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from myukm.db import troubles

DATABASE_UNAVAILABLE = (OperationalError, InterfaceError, NoConnection)
RETRY_SECONDS = 1  # the Retry-After of responses while the database is unavailable

# PostgreSQL's classes of codes: connection, deadlock, resources, lock, operator (57014, 57P01 …),
# the server's files.
_CLASSES = ("08", "40", "53", "55", "57", "58")
_IDLE_TOO_LONG = "25P03"
# MariaDB's server errors: too many connections, shutdown, lock, deadlock, the account's limit of
# connections, killed, time-out. Errors of the client library have numbers from 2000 on.
_NUMBERS = {1040, 1053, 1205, 1213, 1226, 1317, 1927, 1969}
_FIRST_OF_CLIENT, _FIRST_OF_MARIADB = 2000, 4000
# SQLite's primary result codes: the file's disk or folder is away, too many open it at once.
_SQLITE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL}


def is_unavailable(error: Exception) -> bool:
    """Return whether the database, a connection, a lock or space on the disk was unavailable. False
    means that the database refused the statement itself, for example because a table is missing."""
    cause = getattr(error, "orig", None)
    if cause is None or isinstance(error, InterfaceError):
        return isinstance(error, DATABASE_UNAVAILABLE)
    if troubles.kind_of(error) is not None:
        return True
    state = getattr(cause, "sqlstate", "")
    if state != "":
        return state is None or state == _IDLE_TOO_LONG or state.startswith(_CLASSES)
    number = next(iter(cause.args), None)
    if isinstance(number, int):
        return number in _NUMBERS or _FIRST_OF_CLIENT <= number < _FIRST_OF_MARIADB
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE


def name_idle_sessions(context: ExceptionContext) -> Any:
    """Listener of `handle_error`: return an `OperationalError` if the server ended the session for
    being idle inside a transaction, because psycopg reports that lost connection as an internal
    error."""
    if getattr(context.original_exception, "sqlstate", None) != _IDLE_TOO_LONG:
        return None
    context.is_disconnect = True
    return OperationalError(
        context.statement, None, context.original_exception, hide_parameters=True
    )
