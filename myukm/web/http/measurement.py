"""Counts requests and their duration by route, not by URL, because there are too many URLs.

Each response has the request's id in a header, by which its log lines are found.
"""

import time

from flask import Flask, Response, g, request

from myukm import instruments
from myukm.logs import context

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Measure all requests. Must be called before other hooks, so that their time counts too."""
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in METHODS else "other"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    status = f"{response.status_code // 100}xx"
    instruments.observe(
        instruments.HTTP, instruments.HTTP_BOUNDS, seconds, method, route.replace("|", "/"), status
    )
    response.headers[context.HEADER] = context.request_id()
    return response
