"""The nginx site in front of the real web server: streams flow, metrics stay inside."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from myukm.demo.children import Child
from myukm.demo.ports import any_free
from tests.support.programs import ROOT, WebServer
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
    nginx = need(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "nginx")
    certificate(tmp_path)
    port, plain = any_free(), any_free()
    site = (ROOT / "deploy/nginx.conf").read_text()
    for ours, theirs in {
        "/etc/ssl/myukm": str(tmp_path),
        "/srv/myukm": str(ROOT),
        "127.0.0.1:5000": web.url.removeprefix("http://"),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen [::]:443 ssl http2;": "",
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(HTTP.format(folder=tmp_path))
    child = Child([nginx, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")])
    url = f"https://127.0.0.1:{port}"
    wait_until(lambda: answers(child, f"{url}/healthz"), 10, "nginx answers")
    yield url
    child.kill()


def certificate(folder: Path) -> None:
    """Make a certificate of our own."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)


def answers(child: Child, url: str) -> bool:
    assert child.running(), child.read_line()
    try:
        return get(url).ok
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
        ("/static/v-0123456789/js/api.js", "public, max-age=31536000, immutable"),
        ("/static/favicon.svg", "no-cache"),
    ):
        static = get(f"{proxied}{address}")
        assert (static.status_code, static.headers["Cache-Control"]) == (200, caching)
        assert static.headers["Content-Encoding"] == "gzip"
