"""Requests do not wait long for a database that hangs while its kernel still answers."""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask

from tests.support.people import UKM
from tests.support.programs import WebServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

servers = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture
def relay(database_url: str) -> Iterator[Relay]:
    """A relay between the web server and its database."""
    port = urlsplit(database_url).port
    assert port
    with Relay(port) as between:
        yield between
        between.flowing.set()


@pytest.fixture
def web(relay: Relay, settings: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[WebServer]:
    """A gunicorn that reaches its database through the relay."""
    port = urlsplit(settings["DATABASE_URL"]).port
    url = settings["DATABASE_URL"].replace(f":{port}/", f":{relay.port}/")
    server = WebServer(tmp_path / "web.log", {**settings, "DATABASE_URL": url})
    yield server
    relay.flowing.set()
    server.kill()


@servers
def test_requests_do_not_wait_for_a_database_that_hangs(
    web: WebServer, relay: Relay, session_as: Callable[[str], requests.Session]
) -> None:
    member = session_as("member")

    def post(number: int) -> tuple[int, float]:
        body = {"message": "halo", "client_id": f"c{number}"}
        begun = time.monotonic()
        answer = member.post(f"{web.url}/ukm/{UKM}/messages", json=body, timeout=30)
        return answer.status_code, time.monotonic() - begun

    assert post(0)[0] == 201
    relay.flowing.clear()
    with ThreadPoolExecutor(6) as pool:
        first = list(pool.map(post, range(1, 7)))
    assert {status for status, _ in first} == {503}
    assert max(seconds for _, seconds in first) < 7
    later = [post(number) for number in range(10, 20)]
    assert {status for status, _ in later} == {503}
    assert statistics.median(seconds for _, seconds in later) < 1, later
    begun = time.monotonic()
    assert requests.get(f"{web.url}/readyz", timeout=5).status_code == 503
    assert time.monotonic() - begun < 2
    relay.flowing.set()
    wait_until(lambda: post(1)[0] in (200, 201), 30, "it goes on")
