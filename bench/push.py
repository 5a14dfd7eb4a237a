"""A message to a UKM with many subscribed browsers: time until the last notification is sent, and
how long other jobs of the queue `default` wait meanwhile.

    python -m bench.push [--browsers 2000] [--delay-ms 50] [--dead 0.1]

Real workers, and a push service on this machine that answers after `--delay-ms`; `--dead` is the
share of endpoints that are gone (410).
"""

import argparse
import os
import secrets
import statistics
import tempfile
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select

from bench.arguments import positive_int
from bench.report import row, tail_row
from myukm.db.session import transaction
from myukm.domain.chat import broadcast, messages
from myukm.extensions import db
from myukm.models import LoginSession, Membership, PushSubscription, Ukm, User
from tests.faults.campus import Campus
from tests.support.people import UKM
from tests.support.push_service import FakeBrowser
from tests.support.waiting import wait_until
from tests.support.workers import answering_worker, wait_serving


class Service(ThreadingHTTPServer):
    """A push service that answers after `delay` seconds and decrypts nothing."""

    daemon_threads, request_queue_size = True, 256

    def __init__(self, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.delay, self.requests, self.gone = delay, 0, 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        dead = self.path.endswith("dead")
        time.sleep(self.server.delay)
        self.server.requests += 1
        self.server.gone += dead
        self.send_response(410 if dead else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print no access log."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--browsers", type=positive_int, default=2000)
    parser.add_argument("--delay-ms", type=float, default=50)
    parser.add_argument("--dead", type=float, default=0.1)
    options = parser.parse_args()
    os.environ["PUSH_ENDPOINTS"] = "any"
    service = Service(options.delay_ms / 1000)
    with tempfile.TemporaryDirectory() as name:
        campus = Campus(Path(name), students=1)
        try:
            subscribe(campus.app, service, options.browsers, options.dead)
            wait_serving(campus.app)
            for number in range(2):
                measure(campus, service, number)
        finally:
            campus.stop()


def subscribe(app: Flask, service: Service, count: int, dead: float) -> None:
    """Create `count` members of a UKM, each with a browser that is notified of every message."""
    keys = FakeBrowser(service.url, "x").subscription
    with app.app_context(), transaction() as session:
        ukm = session.scalars(select(Ukm.id).where(Ukm.code == UKM)).one()
        people = [
            {"nim": f"b{n}", "name": f"Warga {n}", "password_hash": "-"} for n in range(count)
        ]
        ids = session.scalars(insert(User).returning(User.id), people).all()
        member = {"ukm_id": ukm, "push_all": True}
        session.execute(insert(Membership), [{**member, "user_id": one} for one in ids])
        logins = [{"token_hash": secrets.token_hex(32), "user_id": one} for one in ids]
        session.execute(insert(LoginSession), logins)
        rows = []
        for number, login in enumerate(logins):
            url = f"{service.url}/{number}{'-dead' if number < dead * count else ''}"
            where = {"endpoint": url, "endpoint_hash": sha256(url.encode()).hexdigest()}
            rows.append({**keys, **where, "login": login["token_hash"], "lang": "id"})
        session.execute(insert(PushSubscription), rows)


def measure(campus: Campus, service: Service, number: int) -> None:
    """Post one message; print when every endpoint was requested, and how long other jobs waited."""
    service.requests = service.gone = 0
    with campus.app.app_context():
        browsers = db.session.scalar(select(func.count()).select_from(PushSubscription)) or 0
        author = db.session.get_one(User, campus.people["friend"])
        begun = time.perf_counter()
        message, _new = messages.post(author, UKM, "halo", f"m{number}")
        broadcast.publish(message.ukm_id)
    ended, waits = threading.Event(), list[float]()
    pinger = threading.Thread(target=ping, args=(campus.app, ended, waits), daemon=True)
    pinger.start()
    wait_until(lambda: service.requests >= browsers, 600, "all were notified")
    row(f"message {number + 1}: browsers", browsers, "")
    row("last notification sent after", time.perf_counter() - begun, "s")
    row("requests to dead endpoints", service.gone, "")
    ended.set()
    pinger.join()
    row("another job's answer, median", statistics.median(waits), "s")
    tail_row("another job's answer", waits, 99, "s")


def ping(app: Flask, ended: threading.Event, waits: list[float]) -> None:
    """Send one job after another through the queue and record how long each answer takes."""
    while not ended.is_set():
        begun = time.perf_counter()
        answering_worker(app, "default", timeout=120)
        waits.append(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
