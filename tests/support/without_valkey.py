"""An app whose Valkey is away, seen through the connection that the app really uses."""

from flask import Flask

from myukm.extensions import connect_valkey

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def lose_valkey(app: Flask) -> None:
    """Let the app look for its Valkey where nothing answers."""
    app.config["REDIS_URL"] = NOBODY_LISTENS
    connect_valkey(app)
