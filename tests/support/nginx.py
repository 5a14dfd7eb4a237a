"""nginx with the site of `deploy/`, in front of the test's web servers."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from devtools.ports import HOST, any_free
from devtools.process_tree import ManagedProcess
from tests.support.programs import ROOT
from tests.support.servers import need
from tests.support.waiting import wait_until

HTTP = """
user root;
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


@contextmanager
def site_before(folder: Path, *upstreams: str, host: str = HOST) -> Iterator[str]:
    """Run nginx with our site in front of `upstreams` (each `host:port`); yield its URL."""
    nginx = need(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "nginx")
    certificate(folder, host)
    port, plain = any_free(), any_free()
    url = f"https://{host}:{port}"
    site = (ROOT / "deploy/nginx.conf").read_text()
    for original, replacement in {
        "/etc/ssl/myukm": str(folder),
        "/var/lib/nginx/myukm": f"{folder}/cache",
        "server 127.0.0.1:5000 ": "".join(f"server {each} max_fails=0; " for each in upstreams)
        + "#",
        "listen 80;": f"listen {host}:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen {host}:{port} ssl",
        "listen [::]:443 ssl http2;": "",
    }.items():
        assert original in site
        site = site.replace(original, replacement)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(HTTP.format(folder=folder))
    child = ManagedProcess(
        [nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    )
    try:
        wait_until(lambda: answers(child, folder, f"{url}/metrics"), 30, "nginx answers")
        yield url
    finally:
        child.kill()


def certificate(folder: Path, host: str) -> None:
    """Make a self-signed certificate for an IP address."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ukm.example.ac.id"
    command += f" -addext subjectAltName=IP:{host}"
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", chain], check=True, capture_output=True
    )


def answers(child: ManagedProcess, folder: Path, url: str) -> bool:
    """Return whether nginx answers `url` with 404, as it does for /metrics without a web server."""
    assert child.running(), child.read_line()
    try:
        answer = requests.get(url, verify=str(folder / "fullchain.pem"), timeout=10)
    except requests.ConnectionError:
        return False
    return answer.status_code == 404
