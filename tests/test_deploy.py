"""What `deploy/` holds: the nginx site in front of the real web server, the systemd units."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.programs import BIN, ROOT, WebServer
from tests.support.servers import need
from tests.support.waiting import wait_until

HTTP = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@pytest.fixture
def proxied(web: WebServer, tmp_path: Path) -> Iterator[str]:
    """The address of nginx with our site before the web server."""
    with site_before(web.url.removeprefix("http://"), tmp_path) as url:
        wait_until(lambda: get(f"{url}/healthz").ok, 10, "the web server answers through nginx")
        yield url


@contextmanager
def site_before(upstream: str, folder: Path) -> Iterator[str]:
    """Run nginx with our site before `upstream`, a host and port; yield its address."""
    nginx = need(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "nginx")
    certificate(folder)
    port, plain = any_free(), any_free()
    site = (ROOT / "deploy/nginx.conf").read_text()
    for ours, theirs in {
        "/etc/ssl/myukm": str(folder),
        "/srv/myukm": str(ROOT),
        "127.0.0.1:5000": upstream,
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen [::]:443 ssl http2;": "",
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(HTTP.format(folder=folder))
    child = ManagedProcess(
        [nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    )
    try:
        wait_until(lambda: answers(child, f"https://127.0.0.1:{port}/metrics"), 10, "nginx answers")
        yield f"https://127.0.0.1:{port}"
    finally:
        child.kill()


def certificate(folder: Path) -> None:
    """Make a certificate of our own."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", chain], check=True, capture_output=True
    )


def answers(child: ManagedProcess, url: str) -> bool:
    assert child.running(), child.read_line()
    try:
        return get(url).status_code == 404
    except requests.ConnectionError:
        return False


def get(url: str, session: requests.Session | None = None, **kwargs: object) -> requests.Response:
    return (session or requests).get(url, verify=False, timeout=10, **kwargs)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_site_passes_on_what_it_should(
    proxied: str, session_as: Callable[[str], requests.Session]
) -> None:
    operator = session_as("operator")
    with get(f"{proxied}/stream", operator, stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream.iter_lines()).startswith(b":"), "the first bytes come at once"
    assert get(f"{proxied}/metrics").status_code == 404
    for address, caching in (
        ("/static/v-0123456789/js/core/api.js", "public, max-age=31536000, immutable"),
        ("/static/favicon.svg", "no-cache"),
    ):
        static = get(f"{proxied}{address}")
        assert (static.status_code, static.headers["Cache-Control"]) == (200, caching)
        assert static.headers["Content-Encoding"] == "gzip"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_body_reaches_the_web_server_when_it_is_whole(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        address = f"127.0.0.1:{upstream.getsockname()[1]}"
        with site_before(address, tmp_path) as url, slow_client(url) as client:
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
