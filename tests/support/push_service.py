"""A push service that takes encrypted notifications, and browsers that decrypt and show them.

A browser decrypts with its own keys (RFC 8291, aes128gcm). It shows notifications as our service
worker does: neither a repeated event of a tag, nor an older one that arrives late.
"""

import base64
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02


def b64(data: bytes) -> str:
    """Return base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class FakeBrowser:
    """A subscribed browser: its keys, and the notifications it got."""

    def __init__(self, url: str, name: str) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)
        self.endpoint = f"{url}/push/{name}"
        self.got: list[dict[str, Any]] = []
        # Tag and event id of what was shown, in order; repeated and older events are left out.
        self.shown: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        self.subscription = {
            "endpoint": self.endpoint,
            "p256dh": b64(point),
            "auth": b64(self.secret),
        }

    def receive(self, body: bytes, headers: dict[str, str]) -> None:
        """Decrypt a notification."""
        text = http_ece.decrypt(
            body, private_key=self.private, auth_secret=self.secret, version="aes128gcm"
        )
        self.headers.append(headers)
        self.got.append(json.loads(text))
        event = (self.got[-1]["tag"], self.got[-1]["id"])
        if not any(tag == event[0] and shown >= event[1] for tag, shown in self.shown):
            self.shown.append(event)

    def events(self) -> Counter[tuple[str, int]]:
        """Return how often each event was received, by tag and id."""
        return Counter((each["tag"], each["id"]) for each in self.got)


class PushService(ThreadingHTTPServer):
    """Answers with `status` and the headers `extra`, after calling `hold`; counts the requests.

    Only while `status` is 201 do browsers get the notifications.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.browsers: dict[str, FakeBrowser] = {}
        self.status, self.extra = 201, dict[str, str]()
        self.hold: Callable[[], object] = lambda: None
        self.request_count = 0

    def browser(self, name: str) -> FakeBrowser:
        """Return a new browser of this service."""
        self.browsers[f"/push/{name}"] = made = FakeBrowser(self.url, name)
        return made


@contextmanager
def push_service() -> Iterator[PushService]:
    """A push service at work."""
    with PushService() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: PushService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.request_count += 1
        assert Vapid02.verify(self.headers["Authorization"])
        if self.server.status == 201:
            self.server.browsers[self.path].receive(body, dict(self.headers))
        self.server.hold()
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
