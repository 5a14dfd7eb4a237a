"""Alerts: told once when a trouble lasts, once when it is over, by real HTTP and SMTP."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from myukm.extensions import connect_valkey, db
from myukm.live import event_log
from myukm.models import Alert
from myukm.ops import alerts
from tests.conftest import every_database
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> alerts.AlertMonitor:
    """An alarm that looks whenever it is asked to."""
    monkeypatch.setattr(alerts, "POLL_SECONDS", 0.0)
    return alerts.AlertMonitor()


def evaluate(app: Flask, monitor: alerts.AlertMonitor) -> list[tuple[str, bool]]:
    """Look once with fresh eyes; return all alerts as (code, resolved)."""
    with app.app_context():
        for name in [name for name in app.extensions if name.startswith("ttl_cache:")]:
            app.extensions[name].clear()
        monitor.evaluate()
        rows = db.session.execute(select(Alert.code, Alert.resolved_at).order_by(Alert.id))
        return [(code, resolved is not None) for code, resolved in rows]


def stored_alerts(app: Flask) -> list[dict[str, Any]]:
    with app.app_context():
        return [json.loads(e.data) for e in event_log.since(0, 100) if e.topic == "alert"]


@every_database
def test_a_trouble_that_lasts_is_one_alert_until_it_is_over(
    app: Flask, settings: dict[str, str], monitor: alerts.AlertMonitor
) -> None:
    lose_valkey(app)
    assert evaluate(app, monitor) == []
    assert evaluate(app, monitor) == [("valkey_unreachable", False)]
    assert (
        evaluate(app, monitor)
        == evaluate(app, alerts.AlertMonitor())
        == [("valkey_unreachable", False)]
    )
    app.config["REDIS_URL"] = settings["REDIS_URL"]
    connect_valkey(app)
    evaluate(app, monitor)
    assert ("valkey_unreachable", True) in evaluate(app, monitor)
    mine = [
        (a["resolved"], a["level"]) for a in stored_alerts(app) if a["code"] == "valkey_unreachable"
    ]
    assert mine == [(False, "broken"), (True, "broken")]


def test_a_blip_is_no_alert(
    app: Flask, settings: dict[str, str], monitor: alerts.AlertMonitor
) -> None:
    lose_valkey(app)
    evaluate(app, monitor)
    app.config["REDIS_URL"] = settings["REDIS_URL"]
    connect_valkey(app)
    evaluate(app, monitor)
    assert "valkey_unreachable" not in [code for code, _ in evaluate(app, monitor)]


class Receiver(BaseHTTPRequestHandler):
    """A web hook that fails the first time."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append(body)  # type: ignore[attr-defined]
        self.send_response(500 if len(self.server.got) == 1 else 204)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class MailHandler(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as one mail needs."""

    def handle(self) -> None:
        self.say("220 here")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.got.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            self.say("221 bye" if verb == b"QUIT" else "250 ok")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture(params=[(HTTPServer, Receiver), (socketserver.ThreadingTCPServer, MailHandler)])
def receiver(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind, handler = request.param
    with kind(("127.0.0.1", 0), handler) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_it_reaches_the_web_hook_and_the_mail_box(
    app: Flask, monitor: alerts.AlertMonitor, receiver: Any
) -> None:
    port = receiver.server_address[1]
    if isinstance(receiver, HTTPServer):
        app.config["ALERT_WEBHOOK_URL"] = f"http://127.0.0.1:{port}/hook"
    else:
        app.config["SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
    lose_valkey(app)
    evaluate(app, monitor)
    evaluate(app, monitor)
    want = 2 if isinstance(receiver, HTTPServer) else 1
    wait_until(lambda: len(receiver.got) >= want, 10, "the alert arrives, also at a second try")
    assert "valkey_unreachable" in str(receiver.got[-1])
