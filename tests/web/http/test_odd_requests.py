"""Requests that no browser sends: never a server error, and one line in the log."""

import logging
import sys
from collections.abc import Callable

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from tests.support.programs import WebServer
from tests.support.waiting import wait_until

ClientAs = Callable[[str], FlaskClient]
ODD = ["//[", "http://[", "http://[::1", "[", "%", "/\t", "9" * 30, "-1", "é", "::", "a..b"]
ODD += ["x" * 5000, "9" * 18]
HEADERS = [
    "Host",
    "Origin",
    "Referer",
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "X-Account",
    "Last-Event-ID",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "Authorization",
    "Cookie",
    "Content-Type",
    "X-Forwarded-For",
    "Sec-Fetch-Site",
]
PATHS = ["/login", "/ukm", "/admin/siswa", "/static/css/base.css", "/metrics", "/nope"]
FORGED = "/nope%0d%0aERROR%20forged%1b[2J"


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_causes_a_server_error(client_as: ClientAs, header: str) -> None:
    client = client_as("admin")
    for value in ODD:
        for path in PATHS:
            assert client.get(path, headers={header: value}, buffered=True).status_code < 500
        posted = client.post("/language", data={"lang": "en"}, headers={header: value})
        assert posted.status_code < 500, value


def test_no_query_causes_a_server_error(app: Flask, client_as: ClientAs) -> None:
    client = client_as("admin")
    names = ("next", "page", "q", "filter", "role", "status", "action", "arsip", "before", "limit")
    pages = [rule.rule for rule in app.url_map.iter_rules() if not rule.arguments]
    pages = [path for path in pages if not path.startswith(("/admin/rq", "/stream"))]
    for path in pages:
        for value in [*ODD, "\r\n", "\x00", "\u2028", "٣", "²"]:
            answer = client.get(path, query_string=dict.fromkeys(names, value), buffered=True)
            assert answer.status_code < 500, (path, value)


def test_a_url_with_line_breaks_is_one_log_line(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.test_request_context(FORGED):
        try:
            raise ValueError  # noqa: TRY301 (as a view would)
        except ValueError:
            app.log_exception(sys.exc_info())  # type: ignore[arg-type]
    (record,) = caplog.records
    assert record.getMessage() == "Exception on /nope\\r\\nERROR forged\\x1b[2J [GET]"


def test_a_traceback_logged_by_rq_keeps_its_lines(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("rq.worker").warning("Traceback:\n  %s", "line")
    assert caplog.records[0].getMessage() == "Traceback:\n  line"


class TestAccessLog:
    @pytest.fixture
    def settings(self, settings: dict[str, str]) -> dict[str, str]:
        options = "--access-logfile - --access-logformat '%(u)s %(U)s %(r)s'"
        return {**settings, "GUNICORN_CMD_ARGS": options}

    def test_a_url_with_line_breaks_forges_no_line(self, web: WebServer) -> None:
        forger = ("a\r\nERROR forged", "x")
        requests.get(f"{web.url}{FORGED}", auth=forger, timeout=10)
        wait_until(lambda: "/nope" in web.output(), 30, "the request is logged")
        lines = [line for line in web.output().splitlines() if "forged" in line]
        assert len(lines) == 1
        assert not lines[0].startswith("ERROR")
        assert "\x1b" not in web.output()
