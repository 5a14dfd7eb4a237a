"""An HTTP server that records what is sent to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Records JSON bodies in `got` and counts GETs in `request_count`.

    While `refuses` is set it records nothing and answers with the status `refusal`.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, Any]] = []
        self.request_count = 0
        self.refuses, self.refusal = False, 500
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def kinds(self, code: str) -> list[str]:
        """Return the kinds of the messages about a finding."""
        return [message["kind"] for message in self.got if message["code"] == code]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at work."""
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refuses:
            self.server.got.append(body)
        self._answer()

    def do_GET(self) -> None:
        self.server.request_count += 1
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.refusal if self.server.refuses else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
