"""Direct socket writes: the hub writes events into a stream's socket.

A stream that has nothing to send waits; waking it up for every event costs more than the event.
gunicorn hands its socket to the app (`gunicorn.socket`), so the hub can write what the stream
would have yielded. It works for plain HTTP under gevent, where nothing runs in between; everywhere
else the stream's own loop does the work.
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
        # The kernel would keep megabytes for a reader that stopped.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the client disconnected: a stream's client sends nothing."""
        watcher = gevent.get_hub().loop.io(self._fd, READABLE)

        def left() -> None:
            watcher.stop()
            gevent.spawn_raw(callback)  # nothing may block inside the event loop

        watcher.start(left)
        self._watcher = watcher

    def release(self) -> None:
        """Let go of the socket: the server closes it after this."""
        if self._watcher:
            self._watcher.close()

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Self | None:
        """Return the writer for a request's stream; None where direct writes are impossible."""
        sock = environ.get("gunicorn.socket")
        # The scheme in `environ` is the proxy's; what counts is that this socket is no TLS one.
        if type(sock).__name__ != "socket" or not sock or not is_module_patched("socket"):
            return None
        return cls(sock, chunked=environ.get("SERVER_PROTOCOL") == "HTTP/1.1")

    def write(self, data: bytes) -> int:
        """Write what the socket takes at once and return how much; OSError when it is gone."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def sendall(self, rest: bytes) -> None:
        """Write the rest of a chunk, waiting for the reader; OSError when it is gone."""
        self._sock.sendall(rest)

    def shutdown(self) -> None:
        """Shut the connection down, also under a write that blocks on a stalled client."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
