"""Compresses text responses with gzip to about a quarter, for installations without a proxy.

nginx compresses itself at a lower cost, so deploy/nginx.conf asks the program for uncompressed
responses. Streams are not compressed, because their events must leave at once, nor are exports,
which are written row by row. Flask-Compress is not used, because it never closes static files.
"""

import gzip

from flask import Flask, Response, request

TEXTS = {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"}
MIN_BYTES = 1024
LEVEL = 4


def init_app(app: Flask) -> None:
    """Compress answers for browsers that understand gzip."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Return the response, compressed if the browser accepts gzip and it saves enough."""
    if response.mimetype in TEXTS:
        response.vary.add("Accept-Encoding")
        if is_worth_it(response) and request.accept_encodings.quality("gzip"):
            response.direct_passthrough = False
            response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            if etag := response.get_etag()[0]:
                response.set_etag(etag, weak=True)
    return response


def is_worth_it(response: Response) -> bool:
    """Return whether a response is long, not generated piece by piece, and not compressed yet."""
    return (
        response.status_code == 200
        and (response.direct_passthrough or not response.is_streamed)
        and (response.content_length or 0) >= MIN_BYTES
        and "Content-Encoding" not in response.headers
    )
