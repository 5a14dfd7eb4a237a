"""The subset of HTTP/1.1 that a client of a JSON API uses: parse requests, encode responses."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD = 32 * 1024
MAX_BODY = 16 * 1024 * 1024


class BadRequestError(Exception):
    """The bytes are not a supported request; the connection must be closed."""


@dataclass(slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    def accepts_gzip(self) -> bool:
        return "gzip" in self.headers.get("accept-encoding", "")


def take_request(buffer: bytearray) -> Request | None:
    """Remove the first complete request from `buffer` and return it; None if incomplete.

    Raises `BadRequestError`.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD:
            raise BadRequestError("head too long")
        return None
    request = _parse_head(buffer[:end].decode("latin-1"))
    size = _body_size(request)
    if len(buffer) < end + 4 + size:
        return None
    request.body = bytes(buffer[end + 4 : end + 4 + size])
    del buffer[: end + 4 + size]
    return request


def _parse_head(head: str) -> Request:
    first, *lines = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError("not an HTTP/1 request")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Request(parts[0], parts[1].partition("?")[0], headers)


def _body_size(request: Request) -> int:
    if "transfer-encoding" in request.headers:
        raise BadRequestError("chunked bodies are not supported")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise BadRequestError("bad Content-Length")
    return int(length)


def response(status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the bytes of a response; JSON unless `headers` name another type."""
    named = dict(headers)
    if status not in (204, 304):
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))} | named
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} {_phrase(status)}\r\n{lines}\r\n".encode("latin-1") + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
