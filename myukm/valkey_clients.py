"""Creates Valkey clients, one function per purpose, each with its timeouts and retries."""

import time
from typing import Any, Self

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

VALKEY_DOWN = (redis.ConnectionError, redis.TimeoutError)


class Breaker(Retry):
    """The retry rule of request clients, with a circuit breaker.

    After a timeout no command is sent for `RESET_SECONDS`, so that only one request now and then
    waits for it. After a broken connection (the server restarted) the command is retried at once.
    """

    RESET_SECONDS = 1.0

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self._closed_until = 0.0
        self._last_error = ""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # redis-py copies it into every connection; they all share this one

    def raise_if_open(self) -> None:
        """Raise `redis.ConnectionError` with the last error while the breaker is open."""
        if time.monotonic() < self._closed_until:
            raise redis.ConnectionError(self._last_error)

    def call_with_retry(self, *args: Any, **kwargs: Any) -> Any:
        """Call, and open the breaker if the server does not answer."""
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


def request_client(url: str) -> redis.Redis:
    """For requests and jobs, which go on without Valkey: 0.2 s, and a breaker."""
    breaker = Breaker()
    pool = BreakerPool.from_url(
        url,
        socket_connect_timeout=0.2,
        socket_timeout=0.2,
        retry=breaker,
        health_check_interval=30,
    )
    pool.breaker = breaker
    return redis.Redis(connection_pool=pool)


def pubsub_client(url: str) -> redis.Redis:
    """For the hub, which waits for messages without end."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=1.0, socket_timeout=None, retry=Retry(NoBackoff(), 1)
    )


def background_client(url: str) -> redis.Redis:
    """For background processes and the dashboard: a large answer may take its time."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=1.0, socket_timeout=5.0, retry=Retry(NoBackoff(), 1)
    )


def worker_client(url: str, name: str) -> redis.Redis:
    """For an RQ worker: it outlives a restart of Valkey; all its connections carry `name`."""
    retry = Retry(ExponentialBackoff(cap=2.0, base=0.1), retries=30)
    return redis.Redis.from_url(url, client_name=name, retry=retry, socket_connect_timeout=2.0)
