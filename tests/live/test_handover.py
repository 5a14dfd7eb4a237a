"""The hub takes over the connection of an open stream, and the request ends."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.live import event_log
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
MAX_REQUESTS = 4  # that one web process runs at a time


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {"GUNICORN_CMD_ARGS": f"--worker-connections {MAX_REQUESTS}"}


def append(app: Flask, text: str) -> None:
    with app.app_context(), transaction():
        event_log.append("ukm:ROBOTIK", "chat.message", {"message": text})


@contextmanager
def raw_request(web: WebServer, session: requests.Session, line: str) -> Iterator[socket.socket]:
    """Send a request line with the session's cookie and yield the connection."""
    address = ("127.0.0.1", int(web.url.rsplit(":", 1)[1]))
    with socket.create_connection(address, 10) as connection:
        cookie = session.cookies["myukm"]
        connection.sendall(f"{line}\r\nHost: x\r\nCookie: myukm={cookie}\r\n\r\n".encode())
        yield connection


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what is received until `end` has come; AssertionError if the server hangs up."""
    received = b""
    while end not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def test_open_streams_do_not_count_as_running_requests(
    app: Flask, web: WebServer, session_as: SessionAs
) -> None:
    session = session_as("member")
    readers = [StreamReader(web.url, session) for _ in range(2 * MAX_REQUESTS)]
    append(app, "untuk semua")
    for reader in readers:
        assert reader.wait_for(1, "chat.message") == [{"message": "untuk semua"}]
        reader.close()


@pytest.mark.parametrize(("version", "end"), [("1.1", b"\r\n0\r\n\r\n"), ("1.0", b"\n\n")])
def test_a_stream_that_the_server_ends_is_a_complete_response(
    web: WebServer, session_as: SessionAs, version: str, end: bytes
) -> None:
    session = session_as("member")
    with raw_request(web, session, f"GET /stream HTTP/{version}") as connection:
        received = receive_until(connection, b"event: heartbeat")
        assert session.post(f"{web.url}/logout", timeout=5).ok
        while piece := connection.recv(65536):
            received += piece
    assert received.endswith(end)


def test_a_head_request_opens_no_stream(web: WebServer, session_as: SessionAs) -> None:
    session = session_as("member")
    for _ in range(12):
        answer = session.head(f"{web.url}/stream", timeout=5)
        assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert session.head(f"{web.url}/stream?account=99", timeout=5).status_code == 401
    assert requests.head(f"{web.url}/stream", timeout=5).status_code == 401
    StreamReader(web.url, session).close()


def can_open(web: WebServer, session: requests.Session) -> bool:
    """Open a stream, hang up, and return whether the server accepted it."""
    with session.get(f"{web.url}/stream", stream=True, timeout=5) as answer:
        return answer.status_code == 200


def test_streams_that_are_closed_at_once_do_not_count(
    web: WebServer, session_as: SessionAs
) -> None:
    session = session_as("member")
    for _ in range(30):
        with raw_request(web, session, "GET /stream HTTP/1.1"):
            pass
    wait_until(lambda: can_open(web, session), 30, "a stream opens")


def test_a_lagging_reader_gets_every_event_without_a_handover(
    app: Flask, client_as: Callable[[str], FlaskClient]
) -> None:
    """Neither Flask's test client nor its own server passes a connection to the hub."""
    text = "x" * 1000
    with client_as("member").get("/stream?topics=ukm:ROBOTIK") as response:
        chunks = response.iter_encoded()
        received = next(chunks)
        for _ in range(200):
            append(app, text)
        while received.count(text.encode()) < 200:
            received += next(chunks)
    wait_until(lambda: not app.extensions["live_hub"].streams.audience.all())
