"""The client of the payment API: what it sends, which servers it trusts, how it reads answers."""

import asyncio
import random
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import config
from devtools.simulator import Simulator
from myukm.domain.payment_api.client import (
    MAX_WAIT_SECONDS,
    PaymentApi,
    from_status,
    seconds_to_wait,
)
from myukm.domain.payment_api.errors import Action, Failure, message
from myukm.domain.payment_api.parser import Answer, Payments
from myukm.domain.roster import api_source
from myukm.domain.sync import preflight
from myukm.errors import Unavailable
from myukm.ops import api_probe


def ask(url: str, idperson: str = "100001", **settings: Any) -> Answer:
    environment = {"PEMBAYARAN_API_URL": url, "SECRET_KEY": "k" * 32, "REDIS_URL": "redis://x/0"}
    configured = config.load(environment) | {"PEMBAYARAN_API_TIMEOUT": 2.0} | settings

    async def once() -> Answer:
        async with PaymentApi(configured) as api:
            return await api.payments(idperson)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 1, 1),
        ("-1", 1, 1),
        ("soon", 1, 1),
        ("", 1, 1),
        (None, 1, 1),
        ("1.5", 1, 1),
        ("٣", 1, 1),
        ("86400", MAX_WAIT_SECONDS, MAX_WAIT_SECONDS),
        ("9" * 400, MAX_WAIT_SECONDS, MAX_WAIT_SECONDS),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 1, 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_WAIT_SECONDS, MAX_WAIT_SECONDS),
        ("Fri, 99 Dec 2026 23:59:59 GMT", 1, 1),
        ("Fri, 31 Dec 9999999999 23:59:59 GMT", 1, 1),
        ("Fri, 31 Dec 2026 23:59:59 +99999999999999999999", 1, 1),
        ("Fri, 31 Dec 2026 99999999999:59:59 GMT", 1, 1),
        ("Fri, 31 Dec 9999 23:59:59 -2359", MAX_WAIT_SECONDS, MAX_WAIT_SECONDS),
        ("Sat, 01 Jan 0001 00:00:00 +2359", 1, 1),
        ("1, 2, 3", 1, 1),
    ],
)
def test_retry_after_is_limited_and_an_unreadable_value_means_one_second(
    header: str | None, least: int, most: int
) -> None:
    assert least <= seconds_to_wait(header) <= most


def test_any_retry_after_gives_seconds_within_the_bounds() -> None:
    rng = random.Random(7)
    parts = [
        "Fri",
        ",",
        "31",
        "Dec",
        "9" * 30,
        "-0001",
        "23:59:59",
        "::",
        "+",
        "GMT",
        "(",
        ";",
        "\x00",
    ]
    for _ in range(3000):
        text = " ".join(rng.choices(parts, k=rng.randint(1, 8)))
        assert 1 <= seconds_to_wait(text) <= MAX_WAIT_SECONDS, text


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=200))
    assert 100 < seconds_to_wait(soon) <= 200


@pytest.mark.parametrize(
    ("status", "header", "kind"),
    [
        (429, None, Action.WAIT),
        (503, "5", Action.WAIT),
        (503, None, Action.RETRY),
        (304, None, Action.FINAL),
        (204, None, Action.FINAL),
        (418, None, Action.FINAL),
        (599, None, Action.RETRY),
    ],
)
def test_each_status_code_has_its_action(status: int, header: str | None, kind: Action) -> None:
    assert from_status(status, header).action is kind


@pytest.fixture
def other_host() -> Iterator[ThreadingHTTPServer]:
    """Another host, which records the `Authorization` header of each request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), RecordingHandler)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class RecordingHandler(BaseHTTPRequestHandler):
    """Answers every request as if it were the payment API."""

    def do_GET(self) -> None:
        self.server.seen.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
        body = b'{"data": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print no access log."""


def test_a_redirect_to_another_host_is_not_followed(other_host: ThreadingHTTPServer) -> None:
    elsewhere = f"http://127.0.0.1:{other_host.server_port}/payments/100001"
    away = {"status": 302, "body": "", "headers": {"Location": elsewhere}}
    with Simulator(students=5, override={"/payments/100001": away}) as api:
        found = ask(api.url, PEMBAYARAN_API_TOKEN="secret")
    assert found == Failure("client_error", Action.FINAL, 302)
    assert other_host.seen == []  # type: ignore[attr-defined]


@pytest.fixture
def certificate(other_host: ThreadingHTTPServer, tmp_path: Path) -> Path:
    """The self-signed certificate of the other host, which uses TLS from now on."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out"]
    subprocess.run([*command.split(), *files, certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    other_host.socket = context.wrap_socket(other_host.socket, server_side=True)
    return certificate


def test_an_untrusted_certificate_is_refused(
    other_host: ThreadingHTTPServer, certificate: Path
) -> None:
    found = ask(f"https://127.0.0.1:{other_host.server_port}", PEMBAYARAN_API_TOKEN="secret")
    assert isinstance(found, Failure)
    assert (found.code, found.action) == ("connection", Action.RETRY)
    assert "Certificate" in found.detail
    assert other_host.seen == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_campus_can_trust_its_own_certificate(
    app: Flask, other_host: ThreadingHTTPServer, certificate: Path, name: str
) -> None:
    address = f"https://127.0.0.1:{other_host.server_port}"
    environment = {"PEMBAYARAN_API_URL": address, "SECRET_KEY": "k" * 32, name: str(certificate)}
    app.config |= config.load(environment)
    with app.app_context():
        assert preflight.check()[0].text == f"{address} menjawab."
        with pytest.raises(Unavailable, match="tanpa satu siswa"):
            api_source.fetch()
        assert api_probe.probe().ok


def test_an_answer_that_never_ends_times_out() -> None:
    with Simulator(students=5, fail={"stall": ["100001"]}) as api:
        found = ask(api.url, PEMBAYARAN_API_TIMEOUT=0.3)
    assert found == Failure("timeout", Action.RETRY)


def test_a_truncated_answer_has_a_message_for_users(app: Flask) -> None:
    with Simulator(students=5, fail={"truncated": ["100001"]}) as api:
        found = ask(api.url)
    assert isinstance(found, Failure)
    assert (found.code, found.action) == ("connection", Action.RETRY)
    with app.app_context():
        assert "(sambungan diputus di tengah jawaban)" in str(message(found))


def test_ids_are_sent_unchanged() -> None:
    body = '{"data": [{"idperson": "00a/1?b", "saldo": 5, "periods": []}]}'
    page = {"/payments/00a%2F1%3Fb": {"status": 200, "body": body}}
    with Simulator(students=5, override=page) as api:
        found = ask(api.url, "00a/1?b")
    assert isinstance(found, Payments)
    assert found.saldo == 5


@pytest.mark.parametrize("other", ["A1", "01", "1 1", 1.0, None, "１"])
def test_a_similar_id_is_another_student(other: Any) -> None:
    import json

    body = json.dumps({"data": [{"idperson": other, "saldo": 5, "periods": []}]})
    for asked in ("a1", "1"):
        page = {f"/payments/{asked}": {"status": 200, "body": body}}
        with Simulator(students=5, override=page) as api:
            found = ask(api.url, asked)
        assert isinstance(found, Failure)
        assert found.code in ("wrong_student", "invalid_body")
