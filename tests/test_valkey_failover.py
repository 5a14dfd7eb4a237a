"""Failovers of Valkey: by a sentinel, or behind an address that leads to another server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import config
from devtools.ports import HOST
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.live.subscription import Subscription
from myukm.valkey_clients import (
    SentinelAddress,
    background_client,
    pubsub_client,
    request_client,
)
from tests.support.programs import Program
from tests.support.relay import Relay
from tests.support.sentinel import PASSWORD, SentinelSetup
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, answering_worker, wait_serving

Start = Callable[..., Program]


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[SentinelSetup]:
    with SentinelSetup(tmp_path) as setup:
        yield setup


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("sentinel://a,b:1/kampus", ([("a", 26379), ("b", 1)], "kampus", 0, None, None)),
        ("sentinel://a:1/kampus/2", ([("a", 1)], "kampus", 2, None, None)),
        ("sentinel://u:p%40%2F@[::1]:7/k/", ([("::1", 7)], "k", 0, "u", "p@/")),
    ],
)
def test_the_parts_of_a_sentinel_address(url: str, parts: tuple[object, ...]) -> None:
    assert config.load({"REDIS_URL": url, "SECRET_KEY": "x" * 40})["REDIS_URL"] == url
    assert SentinelAddress.parse(url) == parts


@pytest.mark.timing("writes again within 6 s of the death of the primary")
def test_after_a_failover_by_sentinel_clients_and_workers_go_on(
    sentinel: SentinelSetup, settings: dict[str, str], start: Start
) -> None:
    app = create_app(config.load({**settings, "REDIS_URL": sentinel.url}))
    start("rq", "worker", "-c", "rq_settings", "default", REDIS_URL=sentinel.url)
    start(*WORKER, "high", REDIS_URL=sentinel.url)
    wait_serving(app, ["high", "default"])
    for queue in ("high", "default"):
        answering_worker(app, queue)
    sentinel.primary.kill()
    killed = time.monotonic()
    wait_until(lambda: writes(app.extensions["valkey"]), 20, "Valkey takes writes again")
    assert time.monotonic() - killed < 6
    assert redis.Redis(port=sentinel.replica.port, password=PASSWORD, db=3).get("moved") == b"1"
    answering_worker(app, "high", 20)


def test_clients_leave_a_server_that_became_a_replica_and_connect_again(
    tmp_path: Path, settings: dict[str, str], start: Start
) -> None:
    with (
        start_valkey(tmp_path / "old") as old,
        start_valkey(tmp_path / "new") as new,
        Relay(old.port) as relay,
    ):
        url = f"redis://{HOST}:{relay.port}/0"
        app = create_app(config.load({**settings, "REDIS_URL": url}))
        clients = [request_client(url), background_client(url)]
        subscription = Subscription(pubsub_client(url))
        start(*WORKER, "high", REDIS_URL=url)
        answering_worker(app, "high")
        assert all(writes(client) for client in clients)
        redis.Redis(port=old.port).replicaof(HOST, 1)  # to a primary that never answers
        relay.target = new.port
        assert all(writes(client) for client in clients)
        assert redis.Redis(port=new.port).get("moved") == b"1"
        with pytest.raises(redis.ReadOnlyError):
            wait_until(lambda: subscription.receive(0.5))
        subscription.close()
        answering_worker(app, "high", 30)
        for client in clients:
            client.close()


def writes(client: redis.Redis) -> bool:
    """Return whether a write is taken."""
    try:
        return bool(client.set("moved", 1))
    except redis.RedisError:
        return False
