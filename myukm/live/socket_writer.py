"""Direct socket writes: the hub writes events into the sockets of idle streams.

Waking up a waiting stream costs more than sending the event. gunicorn passes the socket to the app
(`gunicorn.socket`), so the hub can write the bytes that the stream would yield. Works for plain
HTTP under gevent, where no other code runs in between; otherwise the stream's own loop sends.
"""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

import gevent
from gevent.monkey import is_module_patched

READABLE = 1
SEND_BUFFER_BYTES = 64 * 1024


class SocketWriter:
    """Writes to one stream's socket, which belongs to the server and is never closed here."""

    def __init__(self, sock: socket.socket, chunked: bool) -> None:
        self.chunked = chunked
        self._sock, self._fd = sock, sock.fileno()
        self._watcher: Any = None
        # The kernel's default would buffer megabytes for a client that stopped reading.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the client disconnects, seen as a readable socket: the client
        of a stream never sends anything."""
        watcher = gevent.get_hub().loop.io(self._fd, READABLE)

        def left() -> None:
            watcher.stop()
            gevent.spawn_raw(callback)  # the event loop itself must not block

        watcher.start(left)
        self._watcher = watcher

    def release(self) -> None:
        """Stop watching the socket before the server closes it."""
        if self._watcher:
            self._watcher.close()

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Self | None:
        """Return the writer for a request's stream, None if direct writes are not possible."""
        sock = environ.get("gunicorn.socket")
        # Test the socket's type: the scheme in `environ` is the proxy's, not this connection's.
        if type(sock).__name__ != "socket" or not sock or not is_module_patched("socket"):
            return None
        return cls(sock, chunked=environ.get("SERVER_PROTOCOL") == "HTTP/1.1")

    def write(self, data: bytes) -> int:
        """Write without blocking and return the number of bytes. Raises OSError if disconnected."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def sendall(self, rest: bytes) -> None:
        """Write the rest of a chunk, blocking. Raises OSError if disconnected."""
        self._sock.sendall(rest)

    def shutdown(self) -> None:
        """Shut the connection down, which also ends a write that blocks on a stalled client."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
