"""A real proxy buffers the stream, as nginx does when it compresses it without flushing."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import requests
from flask import Flask
from playwright.sync_api import Page

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from myukm.ops import held_streams
from tests.browser.test_live_pages import open_pages
from tests.ops.test_doctor import named
from tests.support.nginx import HTTP
from tests.support.programs import WebServer
from tests.support.servers import need
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
SITE = """
server {{
    listen {port};
    gzip on; gzip_types *; gzip_proxied any;
    location / {{
        proxy_pass {web};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_ignore_headers X-Accel-Buffering;
    }}
}}
"""
TWO_HEARTBEATS = """new Promise((resolve) => {
    let received = 0;
    const other = new EventSource("/stream");
    other.addEventListener("heartbeat", () => (received += 1) > 1 && resolve(other.close()));
})"""


@pytest.fixture
def proxy(web: WebServer, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx that buffers the stream."""
    nginx = need(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "nginx")
    port = any_free()
    (tmp_path / "site.conf").write_text(SITE.format(port=port, web=web.url))
    (tmp_path / "nginx.conf").write_text(HTTP.format(folder=tmp_path))
    child = ManagedProcess([nginx, "-c", str(tmp_path / "nginx.conf"), "-e", f"{tmp_path}/error"])
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: responds(f"{url}/login"), 30, "nginx answers")
    yield url
    child.kill()


def responds(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def miss_heartbeats(page: Page) -> None:
    """Put the page's clock forward until the page misses heartbeats and probes the server.

    The clock moves again if a heartbeat has arrived meanwhile, because the page then waits anew.
    """
    sent, answered = record_requests(page)
    wait_until(lambda: "HEAD /stream" in sent or page.clock.run_for(31_000), 60, "a probe")
    wait_until(lambda: "HEAD /stream" in answered or page.wait_for_timeout(50), 60, "a response")


def record_requests(page: Page) -> tuple[set[str], dict[str, int]]:
    """Return the page's requests from now on, and the status of each answered request."""
    sent, answered = set[str](), dict[str, int]()
    name = lambda call: f"{call.method} {urlsplit(call.url).path}"  # noqa: E731
    page.on("request", lambda call: sent.add(name(call)))
    page.on("response", lambda answer: answered.update({name(answer.request): answer.status}))
    return sent, answered


def test_a_proxy_that_buffers_the_stream_is_reported(
    app: Flask, proxy: str, open_as: OpenAs, valkey: redis.Redis, console_errors: list[str]
) -> None:
    [page] = open_pages(open_as, "admin", "/profile")
    page.goto(f"{proxy}/profile")
    _, answered = record_requests(page)
    miss_heartbeats(page)
    assert not named(app, "stream_buffered"), "one silence may be a lost network"
    report = "POST /stream/held"
    # A request gives up on Valkey after 0.2 s (503), and the page repeats its report.
    wait_until(lambda: answered.get(report) == 204 or page.clock.run_for(1000), 60, "the report")
    console_errors[:] = [line for line in console_errors if not line.endswith("/stream/held")]
    [found] = wait_until(lambda: named(app, "stream_buffered"), 30, "the finding")
    assert "proxy_buffering off" in found["cure"]
    assert 0 < valkey.ttl(held_streams.KEY) <= held_streams.TTL_SECONDS
    lately = valkey.time()[0] - held_streams.TTL_SECONDS
    valkey.zadd(held_streams.KEY, dict.fromkeys(valkey.zrange(held_streams.KEY, 0, -1), lately - 1))
    wait_until(lambda: not named(app, "stream_buffered"), 30, "the finding ends by itself")


def test_a_stream_with_heartbeats_between_two_silences_is_not_reported(
    app: Flask, open_as: OpenAs
) -> None:
    [page] = open_pages(open_as, "admin", "/profile")
    miss_heartbeats(page)
    page.clock.run_for(2000)
    page.wait_for_selector('[data-stream="open"]')
    page.evaluate(TWO_HEARTBEATS)
    miss_heartbeats(page)
    assert not named(app, "stream_buffered")
