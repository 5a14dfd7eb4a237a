"""A reader that stops reading delays no other reader, and never receives a part of an event."""

import json
import socket
from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask

from myukm.db.session import transaction
from myukm.live import event_log
from tests.live.test_handover import can_open, receive_until
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
TEXT = "x" * 4000


@pytest.fixture
def stuck(web: WebServer, session_as: SessionAs) -> Iterator[socket.socket]:
    """An open stream that nobody reads."""
    cookie = session_as("friend").cookies["myukm"]
    port = int(web.url.rsplit(":", 1)[1])
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        request = f"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: myukm={cookie}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        connection.settimeout(20)
        yield connection


def flood(app: Flask, first: int, count: int) -> None:
    with app.app_context(), transaction():
        for n in range(first, first + count):
            event_log.append("ukm:ROBOTIK", "chat.message", {"n": n, "message": TEXT})


def test_a_stuck_reader_is_disconnected_and_others_miss_nothing(
    app: Flask, web: WebServer, session_as: SessionAs, stuck: socket.socket
) -> None:
    reader = StreamReader(web.url, session_as("member"))
    for first in range(0, 400, 20):
        flood(app, first, 20)
        reader.wait_for(first + 20, "chat.message")
    assert [event["n"] for event in reader.of("chat.message")] == list(range(400))
    buffered = b"".join(iter(lambda: receive(stuck), b""))
    assert len(buffered) < 512 * 1024
    reader.close()


def receive(connection: socket.socket) -> bytes:
    """Return the next bytes, or b"" if the server has closed the connection."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_a_reader_that_pauses_and_reads_on_gets_every_byte(
    app: Flask, web: WebServer, stuck: socket.socket
) -> None:
    """The events fit the backlog, but not the kernel's buffer, so a chunk is written in parts."""
    for first in range(0, 60, 10):
        flood(app, first, 10)
    received = b""
    while received.count(b'"message"') < 60 or not received.endswith(b"\n\n\r\n"):
        piece = receive(stuck)
        assert piece, "the server hung up"
        received += piece
    lines = dechunked(received[received.index(b"\r\n\r\n") + 4 :]).splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith(b'data: {"n"')]
    assert [event["n"] for event in events] == list(range(60))
    assert all(event["message"] == TEXT for event in events)


def dechunked(data: bytes) -> bytes:
    """Return the body of an HTTP/1.1 answer in chunks, checking each chunk's frame."""
    body = b""
    while b"\r\n" in data:
        size, data = data.split(b"\r\n", 1)
        length = int(size, 16)
        if len(data) < length + 2:
            break
        assert data[length : length + 2] == b"\r\n"
        body, data = body + data[:length], data[length + 2 :]
    return body


def test_an_http_1_0_client_gets_the_events_without_chunks(
    app: Flask, web: WebServer, session_as: SessionAs
) -> None:
    cookie = session_as("member").cookies["myukm"]
    with socket.create_connection(("127.0.0.1", int(web.url.rsplit(":", 1)[1])), 10) as connection:
        connection.sendall(f"GET /stream HTTP/1.0\r\nCookie: myukm={cookie}\r\n\r\n".encode())
        received = receive_until(connection, b"event: heartbeat\n")
        flood(app, 0, 1)
        received += receive_until(connection, TEXT.encode())
    body = received[received.index(b"\r\n\r\n") + 4 :]
    assert body.startswith(b"retry: ")
    assert b"\r\n" not in body


@pytest.mark.timing("a closed stream is gone within 5 s")
def test_a_closed_stream_leaves_the_limit_at_once(web: WebServer, session_as: SessionAs) -> None:
    """An account may have ten streams. A reader who opens page after page has one at a time."""
    session = session_as("member")
    for _ in range(25):
        wait_until(lambda: can_open(web, session), 5, "a stream opens")
