"""Creates Valkey clients, one function per purpose, each with its time-outs and retries.

The primary may change while the program runs, by sentinels or behind a proxy. Therefore a
connection whose server has become a replica (`READONLY`) counts as broken, and each new connection
looks up the primary's address again.
"""

import re
import socket
import time
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

import redis
from redis.backoff import AbstractBackoff, ExponentialBackoff, NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

from myukm.loop_lag import loop_lag

REQUEST_SECONDS = 0.2
VALKEY_DOWN = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError)
# With these options even a connection that only waits notices that its server has vanished: after
# 5 + 3 · 2 s without an answer, or after 10 s with unacknowledged bytes (Linux).
KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {
        "TCP_KEEPIDLE": 5,
        "TCP_KEEPINTVL": 2,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 10_000,
    }.items()
    if hasattr(socket, name)
}

_PLACE = r"(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?"
_SENTINELS = re.compile(
    r"sentinel://(?:(?P<user>[^:@/?#]*):(?P<password>[^@/?#]*)@)?"
    rf"(?P<places>{_PLACE}(?:,{_PLACE})*)/(?P<service>[\w.-]+)(?:/(?P<db>\d+)?)?"
)


class SentinelAddress(NamedTuple):
    """The parts of `sentinel://[user:password@]host:port,host:port/NAME/0`."""

    places: list[tuple[str, int]]
    service: str
    db: int
    username: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> Self | None:
        """Return the parts of a sentinel address; None for another kind of address."""
        found = _SENTINELS.fullmatch(url)
        if not found:
            return None
        user, password = unquote(found["user"] or ""), unquote(found["password"] or "")
        places = [_host_and_port(place) for place in found["places"].split(",")]
        if any(port > 65_535 for _, port in places):
            return None
        return cls(places, found["service"], int(found["db"] or 0), user or None, password or None)

    def sentinel_options(self, seconds: float) -> dict[str, Any]:
        """Return redis-py's options for connections to the sentinels; `seconds` is the time-out.

        They log in as the default user with Valkey's password, because a sentinel without password
        accepts any password for that user.
        """
        login = {"username": "default", "password": self.password} if self.password else {}
        times = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
        return {**login, **times, "retry": Retry(NoBackoff(), 0)}


def _host_and_port(place: str) -> tuple[str, int]:
    host, port = re.fullmatch(r"(.*?)(?::(\d+))?", place).groups()  # type: ignore[union-attr]
    return host.strip("[]"), int(port or 26_379)


class PrimaryConnection(redis.Connection):
    """A connection to the server that the sentinels name as primary when it is opened.

    redis-py's own class queries them for a new connection, but not to reopen a broken one.
    """

    def __init__(self, sentinel: Sentinel, service: str, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._sentinel, self._service = sentinel, service

    def _connect(self) -> socket.socket:
        try:
            self.host, self.port = self._sentinel.discover_master(self._service)  # type: ignore[no-untyped-call]
        except MasterNotFoundError:
            places = [each.connection_pool.connection_kwargs for each in self._sentinel.sentinels]
            queried = ", ".join(f"{place['host']}:{place['port']}" for place in places)
            raise redis.ConnectionError(f"no primary of {self._service} at {queried}") from None
        return super()._connect()  # type: ignore[no-untyped-call,no-any-return]


class Reconnect(Retry):
    """The retry rule of clients that may wait: commands whose connection broke are retried."""

    def __init__(self, backoff: AbstractBackoff, retries: int) -> None:
        super().__init__(backoff, retries, supported_errors=VALKEY_DOWN)


class Breaker(Retry):
    """The retry rule of request clients, with a circuit breaker.

    After a failure no command is sent for `RESET_SECONDS`, so that few requests wait. A time-out
    does not count if this process itself was too busy. A command whose connection broke (because
    the server restarted, or became a replica) is retried once, without a pause.
    """

    RESET_SECONDS = 1.0

    def __init__(self) -> None:
        broken = (redis.ConnectionError, redis.ReadOnlyError)
        super().__init__(NoBackoff(), 1, supported_errors=broken)
        self._open_until = 0.0
        self._last_error = ""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # redis-py copies it for every connection, but all share one breaker

    def call_with_retry(self, *args: Any, **kwargs: Any) -> Any:
        """Send a command, and open the breaker if the server does not answer.

        While the breaker is open, raises `redis.ConnectionError` with the last error at once.
        """
        if time.monotonic() < self._open_until:
            raise redis.ConnectionError(self._last_error)
        try:
            return super().call_with_retry(*args, **kwargs)
        except VALKEY_DOWN as error:
            if not (isinstance(error, redis.TimeoutError) and loop_lag.was_late()):
                self._last_error = str(error)
                self._open_until = time.monotonic() + self.RESET_SECONDS
            raise


def request_client(url: str) -> redis.Redis:
    """For requests and jobs, which go on without Valkey: time-outs of `REQUEST_SECONDS`, a breaker,
    at most 32 connections."""
    bound: dict[str, Any] = {"max_connections": 32, "timeout": REQUEST_SECONDS}
    bound |= {"pool": redis.BlockingConnectionPool, "health_check_interval": 30}
    return _client(url, REQUEST_SECONDS, socket_timeout=REQUEST_SECONDS, retry=Breaker(), **bound)


def pubsub_client(url: str) -> redis.Redis:
    """For the hub, which itself reconnects after every error."""
    return _client(url, 1.0, socket_timeout=2.0, retry=Reconnect(NoBackoff(), 0))


def log_client(url: str) -> redis.Redis:
    """For the sender of log lines, which itself retries after every error."""
    return _client(url, 0.5, socket_timeout=1.0, retry=Reconnect(NoBackoff(), 0))


def background_client(url: str) -> redis.Redis:
    """For background processes and the dashboard: a large answer may take its time."""
    return _client(url, 1.0, socket_timeout=5.0, retry=Reconnect(NoBackoff(), 1))


def worker_client(url: str, name: str) -> redis.Redis:
    """For an RQ worker: it survives a restart of Valkey, and names its connections `name`."""
    retry = Reconnect(ExponentialBackoff(cap=2.0, base=0.1), retries=30)
    return _client(url, 2.0, client_name=name, redis_connect_func=_log_in, retry=retry)


def _log_in(connection: redis.Connection) -> None:
    """Log in and name the connection, or leave it unnamed if an ACL or a proxy refuses the name."""
    try:
        connection.on_connect()  # type: ignore[no-untyped-call]
    except redis.ResponseError:
        connection.client_name = None
        connection.on_connect()  # type: ignore[no-untyped-call]


def _client(
    url: str,
    connect_seconds: float,
    pool: type[redis.ConnectionPool] = redis.ConnectionPool,
    **options: Any,
) -> redis.Redis:
    options["socket_connect_timeout"] = connect_seconds
    # None, because redis-py would look up its own version on disk for each connection.
    options["driver_info"] = None
    if not url.startswith("unix:"):
        options["socket_keepalive_options"] = KEEPALIVE
    address = SentinelAddress.parse(url)
    if not address:
        return redis.Redis.from_pool(pool.from_url(url, **options))
    for_sentinels = address.sentinel_options(connect_seconds)
    connections = pool(
        connection_class=PrimaryConnection,
        sentinel=Sentinel(address.places, sentinel_kwargs=for_sentinels),  # type: ignore[no-untyped-call]
        service=address.service,
        db=address.db,
        username=address.username,
        password=address.password,
        **options,
    )
    return redis.Redis.from_pool(connections)


def rq_settings(url: str) -> dict[str, Any]:
    """Return the settings with which plain `rq` (`-c`) finds the same server."""
    address = SentinelAddress.parse(url)
    if not address:
        return {"REDIS_URL": url}
    return {
        "SENTINEL": {
            "INSTANCES": address.places,
            "MASTER_NAME": address.service,
            "DB": address.db,
            "USERNAME": address.username,
            "PASSWORD": address.password,
            "SENTINEL_KWARGS": address.sentinel_options(1.0),
            "CONNECTION_KWARGS": {"socket_keepalive_options": KEEPALIVE},
        }
    }
