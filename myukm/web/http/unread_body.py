"""Closes the connection of a refused request whose body is not read to its end.

gunicorn would read the whole rest of the body, however long, before the connection's next request,
and block other requests meanwhile. Here the rest is read for at most `MAX_SECONDS`, so that a
sender who is nearly done gets the response. If the body has not ended by then, the connection is
closed after the response.
"""

import time
from contextlib import suppress
from typing import Any

import gevent
from flask import Flask, Response, request
from gunicorn.http.errors import ParseException

from myukm.extensions import db
from myukm.web.http.security import SAFE

MAX_SECONDS, BLOCK_BYTES = 2.0, 64 * 1024


def init_app(app: Flask) -> None:
    """Register the hook, before others, because the hook registered first runs last."""
    app.after_request(end_connection)


def end_connection(response: Response) -> Response:
    """Return the response; after a refusal let gunicorn close a connection with an unread rest."""
    body = request.environ["wsgi.input"]
    refused = response.status_code >= 400 and request.method not in SAFE
    if refused and hasattr(body, "failed") and not _is_at_its_end(body):
        body.failed = True
    return response


def _is_at_its_end(body: Any) -> bool:
    """Read and discard the body for at most `MAX_SECONDS`; return whether its end was reached."""
    deadline = time.monotonic() + MAX_SECONDS
    with suppress(OSError, ParseException), gevent.Timeout(MAX_SECONDS, False):
        while time.monotonic() < deadline:
            if not body.read(BLOCK_BYTES):
                return True
            db.session.rollback()  # other requests need the database connection
            gevent.sleep(0)
    return False
