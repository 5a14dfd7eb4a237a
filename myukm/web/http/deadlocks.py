"""Repeats requests that were chosen as a deadlock victim, after their transaction was rolled back.

The program locks rows in one order. But MariaDB also locks the rows that foreign keys refer to (an
inserted log line locks the accounts that it names), in an order that we cannot choose.
"""

import logging
from typing import TypeVar

from flask import Flask, request

from myukm.db.deadlock_retry import retry_on_deadlock

T = TypeVar("T")
logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Wrap request dispatch so that a view runs again after a deadlock."""
    dispatch = app.dispatch_request
    app.dispatch_request = lambda: retry_on_deadlock(dispatch, _rewind_body)  # type: ignore[method-assign]


def _rewind_body() -> None:
    for file in request.files.values():
        file.stream.seek(0)
