"""The faults that the simulator can inject."""

import json
from dataclasses import dataclass
from enum import Enum

TOO_LARGE = 6 * 1024 * 1024


class ConnectionEnd(Enum):
    """What happens to the connection after, or instead of, the response."""

    KEEP = "keep"
    CLOSE = "close"  # after the body, which may be shorter than announced
    RESET = "reset"  # TCP reset, no byte sent
    SILENCE = "silence"  # no byte is sent, until the client times out
    STALL = "stall"  # half the response, then nothing


@dataclass(frozen=True)
class Fault:
    """A faulty response; `body` None keeps the correct one. Blanks make it at least `size` long."""

    status: int = 200
    body: bytes | None = None
    ending: ConnectionEnd = ConnectionEnd.KEEP
    headers: tuple[tuple[str, str], ...] = ()
    size: int = 0

    def content(self, correct: bytes) -> bytes:
        """Return the body to send instead of the `correct` one."""
        return (correct if self.body is None else self.body).rjust(self.size)


def _refusal(status: int, message: str) -> Fault:
    return Fault(status, json.dumps({"message": message}).encode())


_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_ELSEWHERE = (("Location", "http://127.0.0.1:9/payments/elsewhere"),)

KINDS: dict[str, Fault] = {
    "400": _refusal(400, "Bad request"),
    "401": _refusal(401, "Unauthenticated"),
    "403": _refusal(403, "Forbidden"),
    "404": _refusal(404, "Student not found"),
    "500": _refusal(500, "Server error"),
    "502": Fault(502, b"<html><h1>502 Bad Gateway</h1></html>", headers=_HTML),
    "503": _refusal(503, "Maintenance"),
    "redirect": Fault(302, b"", headers=_ELSEWHERE),
    "timeout": Fault(ending=ConnectionEnd.SILENCE),
    "stall": Fault(ending=ConnectionEnd.STALL),
    "reset": Fault(ending=ConnectionEnd.RESET),
    "truncated": Fault(ending=ConnectionEnd.CLOSE),
    "garbage": Fault(200, b"\x00\xff\xfe not json {{{"),
    "html": Fault(200, b"<!doctype html><title>Login</title>", headers=_HTML),
    "null": Fault(200, b"null"),
    "object": Fault(200, b'{"data": {}}'),
    "empty": Fault(200, b'{"data": []}'),
    "wrong_student": Fault(),
    "too_large": Fault(200, b'{"data": []}', size=TOO_LARGE),
}
