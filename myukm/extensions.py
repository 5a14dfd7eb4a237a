"""The Flask extensions and the Valkey connection that the whole program shares."""

import time
from typing import Any, Self, cast

import redis
from flask import Flask, current_app
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from redis.backoff import NoBackoff
from redis.retry import Retry

db = SQLAlchemy(session_options={"expire_on_commit": False})
login_manager = LoginManager()
babel = Babel()

VALKEY_DOWN = (redis.ConnectionError, redis.TimeoutError)


class Breaker(Retry):
    """How often a command is tried, and when none is tried at all.

    A server that let us wait is left alone for a second, so that only one request now and then
    pays the time-out. A connection that broke (the server restarted) is made anew at once.
    """

    RESET_SECONDS = 1.0

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self._closed_until = 0.0
        self._last_error = ""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # redis-py copies it into every connection; they all share this one

    def raise_if_open(self) -> None:
        """Raise `redis.ConnectionError`, why it did not answer, if that was a moment ago."""
        if time.monotonic() < self._closed_until:
            raise redis.ConnectionError(self._last_error)

    def call_with_retry(self, *args: Any, **kwargs: Any) -> Any:
        """Try, and remember that the server did not answer, and why."""
        try:
            return super().call_with_retry(*args, **kwargs)
        except VALKEY_DOWN as error:
            self._last_error = str(error)
            self._closed_until = time.monotonic() + self.RESET_SECONDS
            raise


class BreakerPool(redis.ConnectionPool):
    """Connections to Valkey behind a breaker."""

    breaker: Breaker

    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Return a connection; raise at once while the breaker is open."""
        self.breaker.raise_if_open()
        return super().get_connection(*args, **kwargs)


def connect_valkey(app: Flask) -> None:
    """Prepare `valkey()` for `app`; nothing is sent yet."""
    breaker = Breaker()
    pool = BreakerPool.from_url(
        app.config["REDIS_URL"],
        socket_connect_timeout=0.2,
        socket_timeout=0.2,
        retry=breaker,
        health_check_interval=30,
    )
    pool.breaker = breaker
    app.extensions["valkey"] = redis.Redis(connection_pool=pool)


def valkey() -> redis.Redis:
    """Return the app's Valkey client (bytes in and out, short time-outs, thread-safe)."""
    return cast(redis.Redis, current_app.extensions["valkey"])


def new_valkey_client(app: Flask, socket_timeout: float | None = None) -> redis.Redis:
    """Return a client with a pool of its own, for callers that change time-outs or block."""
    return redis.Redis.from_url(
        app.config["REDIS_URL"],
        socket_connect_timeout=1.0,
        socket_timeout=socket_timeout,
        retry=Retry(NoBackoff(), 1),
    )
