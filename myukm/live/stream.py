"""The body of a stream's response: its first bytes. The hub (live/hub.py) writes the rest.

gunicorn passes the connection to the app. Once the first bytes are sent, the hub takes it over, and
the request ends, so that an open stream costs no greenlet. Elsewhere (`flask run`, TLS in this
process, other servers) the hub writes into a pair of sockets, from which the response reads.
"""

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from gevent.monkey import is_module_patched

from myukm.live.fan_out import FanOut
from myukm.live.subscriber import Subscriber

# The kernel's default would buffer megabytes for a client that stopped reading.
SEND_BUFFER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024


class StreamBody:
    """The iterable of a response. The caller has subscribed `subscriber`.

    `first` is sent first; it contains everything up to `subscriber.cursor`. `environ` is the
    request's WSGI environment.
    """

    def __init__(
        self,
        streams: FanOut,
        subscriber: Subscriber,
        first: bytes,
        environ: Mapping[str, Any],
    ) -> None:
        self._streams, self._subscriber, self._first = streams, subscriber, first
        self._sock = _plain_socket(environ)
        self._chunked = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
        self._handed_over = False

    def __iter__(self) -> Iterator[bytes]:
        first, self._first = self._first, b""
        yield first
        del first
        if self._sock:
            self._hand_over(self._sock)
        ours, theirs = socket.socketpair()
        self._streams.connect(self._subscriber, ours.detach(), chunked=False)
        with theirs:
            while data := theirs.recv(READ_BYTES):
                yield data
                self._streams.flush(self._subscriber)

    def _hand_over(self, sock: socket.socket) -> None:
        """Give the connection to the hub. Always raises BrokenPipeError: gunicorn takes that for a
        client that disconnected, and writes nothing more. The socket is detached, so gunicorn
        cannot close it."""
        self._handed_over = True
        self._streams.connect(self._subscriber, sock.detach(), chunked=self._chunked)
        raise BrokenPipeError(errno.EPIPE, "the hub has the connection")

    def close(self) -> None:
        """End the stream with its response, unless the hub has the connection."""
        if not self._handed_over:
            self._streams.drop(self._subscriber)


def _plain_socket(environ: Mapping[str, Any]) -> socket.socket | None:
    """Return the request's socket if the hub may write to it directly, else None."""
    sock: Any = environ.get("gunicorn.socket")
    # Test the socket's type: the scheme in `environ` is the proxy's, not this connection's.
    if type(sock).__name__ != "socket" or not is_module_patched("socket"):
        return None
    if environ.get("SERVER_PROTOCOL") not in ("HTTP/1.0", "HTTP/1.1"):
        return None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return sock  # type: ignore[no-any-return]
