"""The Flask extensions and the Valkey connection that the whole program shares."""

import time
from pathlib import Path
from typing import Any, cast

import redis
from flask import Flask, current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from redis.backoff import NoBackoff
from redis.retry import Retry

db = SQLAlchemy(session_options={"expire_on_commit": False})
migrate = Migrate(directory=str(Path(__file__).parent / "migrations"), render_as_batch=True)
login_manager = LoginManager()
limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True, swallow_errors=True)
babel = Babel()

VALKEY_DOWN = (redis.ConnectionError, redis.TimeoutError)


class GuardedPool(redis.ConnectionPool):
    """Connections to Valkey; after a failed connect it refuses at once for a second.

    So a request never pays the connect time-out for a server that was away a moment ago.
    """

    REST_SECONDS = 1.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._closed_until = 0.0

    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._closed_until:
            raise redis.ConnectionError("Valkey did not answer a moment ago")
        try:
            return super().get_connection(*args, **kwargs)
        except VALKEY_DOWN:
            self._closed_until = time.monotonic() + self.REST_SECONDS
            raise


def connect_valkey(app: Flask) -> None:
    """Prepare `valkey()` for `app`; nothing is sent before the first command."""
    pool = GuardedPool.from_url(
        app.config["REDIS_URL"],
        socket_connect_timeout=0.25,
        socket_timeout=1.0,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )
    app.extensions["valkey"] = redis.Redis(connection_pool=pool)


def valkey() -> redis.Redis:
    """Return the app's Valkey client (bytes in and out, short time-outs, thread-safe)."""
    return cast(redis.Redis, current_app.extensions["valkey"])


def own_valkey(app: Flask, socket_timeout: float | None = None) -> redis.Redis:
    """Return a client with a pool of its own, for callers that change time-outs or block."""
    return redis.Redis.from_url(
        app.config["REDIS_URL"],
        socket_connect_timeout=1.0,
        socket_timeout=socket_timeout,
        retry=Retry(NoBackoff(), 1),
    )
