"""What is left of a body when its request is refused.

gunicorn would read all of it before the connection's next request, however much it is, and serve
nobody else meanwhile. Here it is read for a moment, so that a sender who is nearly done sees the
answer; then the connection ends with the answer.
"""

import time
from contextlib import suppress
from typing import Any

import gevent
from flask import Flask, Response, request
from gunicorn.http.errors import ParseException

from myukm.extensions import db
from myukm.web.http.security import SAFE

SECONDS, BLOCK = 2.0, 64 * 1024


def init_app(app: Flask) -> None:
    """Register the hook. The first one that is registered runs last."""
    app.after_request(end_connection)


def end_connection(response: Response) -> Response:
    """Return the response; after a refusal, let gunicorn close a connection with a rest."""
    body = request.environ["wsgi.input"]
    refused = response.status_code >= 400 and request.method not in SAFE
    if refused and hasattr(body, "failed") and not _is_at_its_end(body):
        body.failed = True
    return response


def _is_at_its_end(body: Any) -> bool:
    """Read and forget for `SECONDS`, while others are served; return whether that was all."""
    deadline = time.monotonic() + SECONDS
    with suppress(OSError, ParseException), gevent.Timeout(SECONDS, False):
        while time.monotonic() < deadline:
            if not body.read(BLOCK):
                return True
            db.session.rollback()  # others need the connection
            gevent.sleep(0)
    return False
