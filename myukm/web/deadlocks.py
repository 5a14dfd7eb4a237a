"""The victim of a deadlock goes again: its transaction was rolled back whole, nothing happened.

Calls here lock what they need in one order, but on MariaDB a foreign key locks rows as well (a
line in a log holds the accounts that it names), and no order covers these.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, request
from sqlalchemy.exc import OperationalError

from myukm.extensions import db

TIMES = 4
POSTGRESQL, MARIADB = "40P01", 1213

T = TypeVar("T")
log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Have a request's view called again after a deadlock."""
    dispatch = app.dispatch_request
    app.dispatch_request = lambda: past_deadlocks(dispatch, _rewind)  # type: ignore[method-assign]


def past_deadlocks(call: Callable[[], T], before_again: Callable[[], None] = lambda: None) -> T:
    """Return what `call` returns; it is called again when the database chose it as the victim.

    `call` must be one that may be made twice when its first transaction did not commit. Raises
    the database's `OperationalError` after the fourth time.
    """
    for _time in range(TIMES - 1):
        try:
            return call()
        except OperationalError as error:
            if not _is_deadlock(error):
                raise
            log.info("database: a deadlock, going again")
            db.session.rollback()
            before_again()
    return call()


def _rewind() -> None:
    for file in request.files.values():
        file.stream.seek(0)


def _is_deadlock(error: OperationalError) -> bool:
    told = getattr(error.orig, "sqlstate", None), *getattr(error.orig, "args", ())
    return POSTGRESQL in told or MARIADB in told
