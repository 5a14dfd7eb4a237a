"""The files of `deploy/`: the nginx site in front of web servers, alert rules, dashboard."""

import json
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
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from devtools.ports import any_free
from myukm import instruments
from myukm.ops import metrics
from myukm.queues import counters
from myukm.queues.counters import Times
from tests.support.nginx import site_before
from tests.support.programs import ROOT, WebServer
from tests.support.servers import need
from tests.support.waiting import wait_until


@pytest.fixture
def proxied(web: WebServer, tmp_path: Path) -> Iterator[str]:
    """The URL of nginx with our site in front of the web server."""
    with site_before(tmp_path, web.url.removeprefix("http://")) as url:
        wait_until(lambda: get(f"{url}/healthz").ok, 30, "the web server answers through nginx")
        yield url


def get(url: str, session: requests.Session | None = None, **kwargs: object) -> requests.Response:
    return (session or requests).get(url, verify=False, timeout=10, **kwargs)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_nginx_streams_events_hides_metrics_and_caches_static_files(
    proxied: str, session_as: Callable[[str], requests.Session]
) -> None:
    operator = session_as("operator")
    with get(f"{proxied}/stream", operator, stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream.iter_lines()), "the first bytes come at once"
    assert get(f"{proxied}/metrics").status_code == 404
    entry = re.findall(
        r"/static/v-\w+/joined/core/app.js", operator.get(f"{proxied}/ukm", verify=False).text
    )
    for address, caching in (
        (entry[0], "public, max-age=31536000, immutable"),
        ("/static/v-0123456789/joined/core/app.js", "no-cache"),
        ("/static/favicon.svg", "no-cache"),
    ):
        static = get(f"{proxied}{address}", operator)
        assert (static.status_code, static.headers["Cache-Control"]) == (200, caching)
        assert static.headers["Content-Encoding"] == "gzip"
        assert static.headers["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in static.headers
        plain = get(f"{proxied}{address}", operator, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers, "a client without gzip gets the plain file"
        assert plain.content == static.content
    workbook = b"x" * 20_000_000
    sent = operator.post(f"{proxied}/admin/impor-siswa", workbook, verify=False, timeout=30)
    assert sent.status_code != 413, "the program decides about the size of an import"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_repeatable_requests_go_to_the_next_web_server(tmp_path: Path) -> None:
    with (
        FakeWebServer(b"") as closing,
        FakeWebServer(answer(503)) as shutting_down,
        FakeWebServer(answer(200)) as healthy,
    ):
        with site_before(tmp_path, closing.address, healthy.address) as url:
            for _ in range(2):  # nginx alternates, so each server is tried first once
                sent = requests.post(f"{url}/ukm/paduan/messages", "{}", verify=False, timeout=10)
                assert sent.status_code == 200
            assert b"POST /ukm/paduan/messages" in closing.received
            posts = [requests.post(f"{url}/ukm/x", verify=False, timeout=10) for _ in range(2)]
            statuses = {post.status_code for post in posts}
            assert statuses == {200, 502}, "other POSTs are not repeated"
        with site_before(tmp_path, shutting_down.address, healthy.address) as url:
            assert {get(f"{url}/stream").status_code for _ in range(2)} == {200}
            assert {get(f"{url}/ukm").status_code for _ in range(2)} == {200, 503}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_without_a_web_server_nginx_shows_a_page_that_reloads(tmp_path: Path) -> None:
    with site_before(tmp_path, f"127.0.0.1:{any_free()}") as url:
        page = get(f"{url}/ukm")
        sent = requests.post(f"{url}/ukm", "x", verify=False, timeout=10)
    assert page.status_code == sent.status_code == 502
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (page.headers["Retry-After"], page.headers["Cache-Control"]) == ("5", "no-store")
    assert "Server sedang dimulai ulang" in page.text
    again = '<meta http-equiv="refresh" content="5">'
    assert again in page.text
    assert again not in sent.text, "the refresh is a GET, which a form's URL may not answer"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_headers_of_an_outer_proxy_are_passed_on(tmp_path: Path) -> None:
    outer = {"For": "203.0.113.9", "Proto": "https", "Host": "ukm.example.ac.id"}
    headers = {f"X-Forwarded-{name}": value for name, value in outer.items()}
    with FakeWebServer(answer(200)) as web, site_before(tmp_path, web.address) as url:
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


class FakeWebServer:
    """A web server that answers each request with `response`, then closes the connection. With b""
    it closes without an answer."""

    def __init__(self, response: bytes) -> None:
        self.response, self.received = response, b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.received += connection.recv(65536)
                connection.sendall(self.response)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_nginx_sends_a_body_to_the_web_server_only_when_complete(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        address = f"127.0.0.1:{upstream.getsockname()[1]}"
        with site_before(tmp_path, address) as url, connect_to_nginx(url) as client:
            head = "POST /login HTTP/1.1\r\nHost: ukm.example.ac.id\r\nContent-Length: 8\r\n\r\n"
            client.sendall(head.encode() + b"half")
            upstream.settimeout(1)
            with pytest.raises(TimeoutError):
                upstream.accept()
            client.sendall(b"rest")
            upstream.settimeout(10)
            connection, _ = upstream.accept()
            connection.settimeout(10)
            with connection:
                received = b""
                while not received.endswith(b"halfrest"):
                    received += (data := connection.recv(65536))
                    assert data, "nginx closed the connection"
            assert received.startswith(b"POST /login HTTP/1.1\r\n")


def connect_to_nginx(url: str) -> ssl.SSLSocket:
    """Return a TLS connection to nginx, on which a test sends a request in parts."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)
    return context.wrap_socket(plain)


def promtool(*arguments: str) -> str:
    """Run promtool in `deploy/` and return its output; fail the test if it fails."""
    argv = [need(shutil.which("promtool"), "prometheus"), *arguments]
    done = subprocess.run(
        argv, check=False, capture_output=True, text=True, cwd=ROOT / "deploy", timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_alert_rule_is_tested_and_fires_as_it_should() -> None:
    promtool("check", "rules", "alerts.rules.yml")
    promtool("test", "rules", "alerts.test.yml")
    rules = yaml.safe_load((ROOT / "deploy/alerts.rules.yml").read_text())
    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tests = yaml.safe_load((ROOT / "deploy/alerts.test.yml").read_text())["tests"]
    fired, silent = set(), set()
    for case in (case for test in tests for case in test["alert_rule_test"]):
        (fired if case.get("exp_alerts") else silent).add(case["alertname"])
    assert fired == silent == named


def test_rules_and_dashboard_use_existing_metrics(app: Flask, tmp_path: Path) -> None:
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((ROOT / "deploy/alerts.rules.yml").read_text())
    queries += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    recorded = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(queries)]
    as_rules = tmp_path / "queries.yml"
    as_rules.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))
    promtool("check", "rules", str(as_rules))
    with app.app_context():
        counters.count("high", "finished", Times(1.0, 1.0))
        app.test_client().get("/healthz")
        instruments.flush(app.extensions["valkey"])
        found = text_string_to_metric_families(metrics.text().decode())
        families = {family.name: family.type for family in found}
    endings = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}
    known = {
        f"{name}{ending}" for name, kind in families.items() for ending in endings.get(kind, ("",))
    }
    used = set(re.findall(r"\bmyukm_\w+", " ".join(queries)))
    assert used <= known
    assert known - {f"{name}_sum" for name in families} - used == UNUSED


# Metrics that neither the dashboard nor a rule uses.
UNUSED = {
    *("myukm_sync_live", "myukm_sync_students", "myukm_sync_unchanged", "myukm_sync_cancelled"),
    *("myukm_sync_workers", "myukm_event_log_events", "myukm_job_wait_seconds_count"),
    "myukm_job_run_seconds_count",
}
