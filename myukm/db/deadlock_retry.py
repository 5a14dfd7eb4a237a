"""Retry transactions that the database chose as a deadlock victim and rolled back."""

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from myukm.extensions import db

T = TypeVar("T")
logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
POSTGRESQL, MARIADB = "40P01", 1213


def retry_on_deadlock(call: Callable[[], T], before_retry: Callable[[], None] = lambda: None) -> T:
    """Return the result of `call`, which is retried if its transaction was a deadlock victim.

    `call` must be repeatable as long as its transaction did not commit. `before_retry` runs before
    each retry. Raises the database's `OperationalError` after `MAX_ATTEMPTS` calls.
    """
    for _time in range(MAX_ATTEMPTS - 1):
        try:
            return call()
        except OperationalError as error:
            if not _is_deadlock(error):
                raise
            logger.info("database: deadlock, retrying")
            db.session.rollback()
            before_retry()
    return call()


def _is_deadlock(error: OperationalError) -> bool:
    codes = getattr(error.orig, "sqlstate", None), *getattr(error.orig, "args", ())
    return POSTGRESQL in codes or MARIADB in codes
