"""A refused request with an endless body blocks no other request."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.files import FILES, FORM, form
from tests.support.programs import WebServer

HEAD = form(b"", "a.pdf").rpartition(b"\r\n--X--")[0]


@pytest.mark.parametrize(("who", "status"), [("member", 413), ("outsider", 404)])
def test_two_gigabytes_are_refused_and_the_connection_ends(
    web: WebServer,
    session_cookie: Callable[[str], tuple[str, str]],
    session_as: Callable[[str], requests.Session],
    who: str,
    status: int,
) -> None:
    address, (name, value) = urlsplit(web.url), session_cookie(who)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 30) as caller:
        lines = (
            f"POST {FILES} HTTP/1.1",
            f"Host: {address.netloc}",
            f"Cookie: {name}={value}",
            f"Content-Type: {FORM}",
            "Content-Length: 2000000000",
        )
        caller.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + HEAD)
        began, sent = time.monotonic(), 0
        with suppress(ConnectionResetError, BrokenPipeError):
            while time.monotonic() < began + 30:
                sent += caller.send(b"x" * 1_000_000)
        assert sent < 1_000_000_000
        assert caller.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
    assert session_as("friend").get(f"{web.url}/ukm", timeout=5).status_code == 200
