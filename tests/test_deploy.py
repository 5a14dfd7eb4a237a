"""What `deploy/` holds: the nginx site in front of the real web server, the systemd units."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
import requests

from tests.support.nginx import site_before
from tests.support.programs import BIN, ROOT, WebServer
from tests.support.servers import need
from tests.support.waiting import wait_until


@pytest.fixture
def proxied(web: WebServer, tmp_path: Path) -> Iterator[str]:
    """The address of nginx with our site before the web server."""
    with site_before(tmp_path, web.url.removeprefix("http://")) as url:
        wait_until(lambda: get(f"{url}/healthz").ok, 10, "the web server answers through nginx")
        yield url


def get(url: str, session: requests.Session | None = None, **kwargs: object) -> requests.Response:
    return (session or requests).get(url, verify=False, timeout=10, **kwargs)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_site_passes_on_what_it_should(
    proxied: str, session_as: Callable[[str], requests.Session]
) -> None:
    operator = session_as("operator")
    with get(f"{proxied}/stream", operator, stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream.iter_lines()), "the first bytes come at once"
    assert get(f"{proxied}/metrics").status_code == 404
    entry = re.findall(
        r"/static/v-\w+/js/core/app.js", operator.get(f"{proxied}/ukm", verify=False).text
    )
    for address, caching in (
        (entry[0], "public, max-age=31536000, immutable"),
        ("/static/v-0123456789/js/core/app.js", "no-cache"),
        ("/static/favicon.svg", "no-cache"),
    ):
        static = get(f"{proxied}{address}", operator)
        assert (static.status_code, static.headers["Cache-Control"]) == (200, caching)
        assert static.headers["Content-Encoding"] == "gzip"
        assert not {"Vary", "Set-Cookie"} & set(static.headers)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_what_may_be_repeated_is_sent_to_the_next_web_server(tmp_path: Path) -> None:
    with StandIn(b"") as vanishes, StandIn(answer(503)) as leaving, StandIn(answer(200)) as well:
        with site_before(tmp_path, vanishes.address, well.address) as url:
            for _ in range(2):  # each of the two is asked first once
                sent = requests.post(f"{url}/ukm/paduan/messages", "{}", verify=False, timeout=10)
                assert sent.status_code == 200
            assert b"POST /ukm/paduan/messages" in vanishes.received
            statuses = {requests.post(f"{url}/ukm/x", verify=False).status_code for _ in range(2)}
            assert statuses == {200, 502}, "what may not be repeated is not"
        with site_before(tmp_path, leaving.address, well.address) as url:
            assert {get(f"{url}/stream").status_code for _ in range(2)} == {200}
            assert {get(f"{url}/ukm").status_code for _ in range(2)} == {200, 503}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_what_an_outer_proxy_says_is_passed_on(tmp_path: Path) -> None:
    outer = {"For": "203.0.113.9", "Proto": "https", "Host": "ukm.example.ac.id"}
    headers = {f"X-Forwarded-{name}": value for name, value in outer.items()}
    with StandIn(answer(200)) as web, site_before(tmp_path, web.address) as url:
        get(f"{url}/", headers=headers | {"Host": "inner:8443"})
        get(f"{url}/")
    passed_on, alone = (
        dict(re.findall(r"X-Forwarded-(\w+): (.*)\r\n", request))
        for request in web.received.decode().split("\r\n\r\n")[:2]
    )
    assert passed_on == {
        "For": "203.0.113.9, 127.0.0.1",
        "Proto": "https, https",
        "Host": "ukm.example.ac.id, inner:8443",
    }
    assert alone == {"For": "127.0.0.1", "Proto": "https", "Host": url.removeprefix("https://")}


def answer(status: int) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status


class StandIn:
    """A web server that says the same to each request, and closes; b"" is one that vanishes."""

    def __init__(self, words: bytes) -> None:
        self.words, self.received = words, b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.received += connection.recv(65536)
                connection.sendall(self.words)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_body_reaches_the_web_server_when_it_is_whole(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        address = f"127.0.0.1:{upstream.getsockname()[1]}"
        with site_before(tmp_path, address) as url, slow_client(url) as client:
            head = "POST /login HTTP/1.1\r\nHost: ukm.example.ac.id\r\nContent-Length: 8\r\n\r\n"
            client.sendall(head.encode() + b"half")
            upstream.settimeout(1)
            with pytest.raises(TimeoutError):
                upstream.accept()
            client.sendall(b"rest")
            upstream.settimeout(10)
            connection, _ = upstream.accept()
            with connection:
                received = b""
                while not received.endswith(b"halfrest"):
                    received += connection.recv(65536)
            assert received.startswith(b"POST /login HTTP/1.1\r\n")


def slow_client(url: str) -> ssl.SSLSocket:
    """Return a connection to nginx."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)
    return context.wrap_socket(plain)


@pytest.mark.parametrize("name", ["myukm-web.service", "myukm-worker@.service"])
def test_systemd_accepts_the_units(name: str, tmp_path: Path) -> None:
    analyze = need(shutil.which("systemd-analyze"), "systemd")
    unit = tmp_path / name.replace("@", "@1")
    text = (ROOT / "deploy" / name).read_text()
    unit.write_text(text.replace("/srv/myukm/.venv/bin", str(BIN)))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True
    )
    complaints = [line for line in done.stderr.splitlines() if name.partition(".")[0] in line]
    assert (done.returncode, complaints) == (0, [])
    assert "\nEnvironmentFile=/srv/myukm/.env\n" in text
    assert "\nUMask=0077\n" in text
