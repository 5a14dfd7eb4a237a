"""A payment API that sends exactly the given bytes: odd headers, wrong lengths, slow answers."""

import socketserver
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self


def raw(body: str | bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return the bytes of an HTTP answer; `headers` may replace the right Content-Length."""
    content = body.encode() if isinstance(body, str) else body
    named = {line.partition(":")[0].lower() for line in headers}
    length = () if "content-length" in named else (f"Content-Length: {len(content)}",)
    head = "\r\n".join((f"HTTP/1.1 {status}", *headers, *length, "", ""))
    return head.encode("latin-1") + content


class RawApi:
    """Answers each path with `answers[path]`, else with `answers[""]`; used as a context manager.

    `heads` are the heads of the requests so far. With `drip` each byte is sent alone, with a pause
    of `drip` seconds after it.
    """

    def __init__(self, answers: dict[str, bytes], drip: float = 0.0) -> None:
        self.answers, self.drip = answers, drip
        self.heads: list[str] = []
        self.closing = threading.Event()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.api = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def parts(self, answer: bytes) -> Iterable[bytes]:
        """Return an answer as it is sent, piece by piece."""
        return (answer[i : i + 1] for i in range(len(answer))) if self.drip else [answer]


class _Handler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        api: Any = self.server.api  # type: ignore[attr-defined]
        with suppress(OSError):  # the client closed the connection
            while head := self._head():
                api.heads.append(head)
                path = head.split(" ")[1]
                for part in api.parts(api.answers.get(path) or api.answers[""]):
                    self.wfile.write(part)
                    if api.closing.wait(api.drip):
                        return

    def _head(self) -> str:
        lines: list[str] = []
        while line := self.rfile.readline().decode("latin-1").rstrip():
            lines.append(line)
        return "\n".join(lines)
