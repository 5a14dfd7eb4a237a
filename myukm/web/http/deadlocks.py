"""Retry requests chosen as a deadlock victim; their transaction was rolled back completely.

Calls here lock what they need in one order, but on MariaDB a foreign key locks rows as well (a
line in a log holds the accounts that it names), and no order covers these.
"""

import logging
from typing import TypeVar

from flask import Flask, request

from myukm.db.deadlock_retry import retry_on_deadlock

T = TypeVar("T")
logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Have a request's view called again after a deadlock."""
    dispatch = app.dispatch_request
    app.dispatch_request = lambda: retry_on_deadlock(dispatch, _rewind_body)  # type: ignore[method-assign]


def _rewind_body() -> None:
    for file in request.files.values():
        file.stream.seek(0)
