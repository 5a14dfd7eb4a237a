"""An app whose Valkey is unreachable, by the connection that the app really uses."""

from flask import Flask

from myukm.extensions import connect_valkey

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def lose_valkey(app: Flask) -> None:
    """Connect the app to an address where no Valkey listens."""
    app.config["REDIS_URL"] = NOBODY_LISTENS
    connect_valkey(app)
