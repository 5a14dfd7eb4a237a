"""A stream's connection: the hub writes into a file descriptor of its own, without blocking.

Bytes that the kernel does not accept at once wait in a bounded backlog. Under gevent the event loop
calls back when the socket accepts more bytes and when the client disconnects; elsewhere the
response's own loop calls `flush()`.
"""

import os
from collections.abc import Callable
from typing import Any

import gevent
from gevent.monkey import is_module_patched

from myukm import instruments

BACKLOG_BYTES = 256 * 1024
READABLE, WRITABLE = 1, 2
LAST_CHUNK = b"0\r\n\r\n"


class Connection:
    """Writes to one client. It owns the file descriptor `fd` and closes it.

    With `chunked`, callers pass bytes already framed as HTTP/1.1 chunks. `on_end` is called once
    when the connection ended, whoever ended it. It must not block, because the event loop may call
    it.
    """

    __slots__ = ("_backlog", "_fd", "_on_end", "_readable", "_writable", "chunked")

    def __init__(self, fd: int, on_end: Callable[[], None], *, chunked: bool) -> None:
        os.set_blocking(fd, False)
        self._fd, self._on_end, self.chunked = fd, on_end, chunked
        self._backlog: bytearray | None = None
        # A stream's client sends nothing, so its connection becomes readable only when it closes.
        self._readable = _start_watcher(fd, READABLE, self.close)
        self._writable: Any = None

    def write(self, data: bytes | bytearray) -> None:
        """Write `data`, or append it to the backlog; a client that lags too far is disconnected.

        Every delivery to every client calls this, so it makes as few calls as possible.
        """
        if not self._backlog:
            try:
                written = os.write(self._fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self.close()
                return
            if written == len(data):
                return
            data = data[written:]
        self._buffer(data)

    def flush(self) -> None:
        """Write as much of the backlog as the client takes."""
        backlog, self._backlog = self._backlog, None
        if backlog:
            self.write(backlog)
        if not self._backlog:
            _stop_watcher(self._writable)
            self._writable = None

    def finish(self, data: bytes) -> None:
        """Write the last bytes and the end of the response, then close.

        A client with a backlog gets only the close, because the last bytes would arrive in the
        middle of an event.
        """
        if not self._backlog:
            self.write(data + LAST_CHUNK if self.chunked else data)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._fd < 0:
            return
        fd, self._fd, self._backlog = self._fd, -1, None
        _stop_watcher(self._readable)
        _stop_watcher(self._writable)
        os.close(fd)
        self._on_end()

    def _buffer(self, rest: bytes | bytearray) -> None:
        if self._backlog is None:
            self._backlog = bytearray()
        self._backlog += rest
        self._writable = self._writable or _start_watcher(self._fd, WRITABLE, self.flush)
        if len(self._backlog) > BACKLOG_BYTES:
            instruments.increment(instruments.DROPPED)
            self.close()


def _start_watcher(fd: int, events: int, callback: Callable[[], None]) -> Any:
    """Let gevent's loop call `callback` whenever `fd` is ready, and return the watcher; return None
    where gevent's loop does not run."""
    if not is_module_patched("socket"):
        return None
    watcher = gevent.get_hub().loop.io(fd, events)
    watcher.start(callback)
    return watcher


def _stop_watcher(watcher: Any) -> None:
    if watcher:
        watcher.close()
