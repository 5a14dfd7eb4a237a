"""A subscriber: one open stream, with its topics and a bounded backlog."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from myukm.live.socket_writer import SocketWriter

BACKLOG_BYTES = 256 * 1024


class Chunk(NamedTuple):
    """An event's bytes, encoded once for all subscribers; `framed` is their HTTP/1.1 chunk."""

    seq: int | None
    plain: bytes
    framed: bytes

    @classmethod
    def of(cls, seq: int | None, plain: bytes) -> "Chunk":
        """Return the chunk of an encoded event."""
        return cls(seq, plain, b"%x\r\n%s\r\n" % (len(plain), plain))


class Subscriber:
    """A stream's topics and its bounded backlog.

    A subscriber that lags too far is closed and resumes by its cursor. While the stream is idle,
    the hub writes directly to the socket, if there is a `writer`."""

    def __init__(
        self,
        key: str,
        owner: int,
        allowed: frozenset[str],
        requested: Iterable[str] | None,
        writer: SocketWriter | None = None,
    ) -> None:
        self.key, self.owner = key, owner
        self._requested = None if requested is None else frozenset(requested)
        self.topics = self.allowed_topics(allowed)
        self.closed = False
        self.cursor = -1
        self._writer = writer
        self._idle = False
        self._partial = b""
        self._backlog: deque[Chunk] = deque()
        self._bytes = 0
        self._ready = threading.Condition()
        if writer:
            writer.on_disconnect(self.close)

    def detach(self) -> None:
        """Detach from the socket; nothing is written to it any more."""
        self.closed = True
        if self._writer:
            self._writer.release()

    def allowed_topics(self, allowed: frozenset[str]) -> frozenset[str]:
        """Return the topics that are both allowed and requested."""
        return allowed if self._requested is None else allowed & self._requested

    def push(self, chunk: Chunk) -> None:
        """Write a chunk or queue it; close the subscriber if its backlog is full."""
        if self.closed:
            return
        if self._writer and self._idle:
            self._write_to_socket(self._writer, chunk)
            return
        with self._ready:
            self._backlog.append(chunk)
            self._bytes += len(chunk.plain)
            self._ready.notify()
        if self._bytes > BACKLOG_BYTES:
            self.close()
            if self._writer:
                self._writer.shutdown()

    def pop(self, timeout: float) -> list[bytes] | None:
        """Return the chunks to send, waiting at most `timeout` seconds.

        None if nothing was sent meanwhile (time for a heartbeat). Events not newer than `cursor`
        are left out. Raises OSError if the client is disconnected.
        """
        with self._ready:
            happened = bool(self._backlog) or self.closed or self._wait(timeout)
            popped = [
                chunk for chunk in self._backlog if (chunk.seq or self.cursor + 1) > self.cursor
            ]
            self._backlog.clear()
            self._bytes = 0
        self._send_partial()
        return [chunk.plain for chunk in popped] if happened else None

    def close(self) -> None:
        """End the stream."""
        with self._ready:
            self.closed = True
            self._ready.notify()

    def _wait(self, timeout: float) -> bool:
        self._idle = True
        try:
            return self._ready.wait(timeout)
        finally:
            self._idle = False

    def _write_to_socket(self, writer: SocketWriter, chunk: Chunk) -> None:
        if chunk.seq is not None and chunk.seq <= self.cursor:
            return
        data = chunk.framed if writer.chunked else chunk.plain
        try:
            written = writer.write(data)
        except OSError:
            self.close()
            return
        if written < len(data):
            self._idle = False
            self._partial = data[written:]
            with self._ready:
                self._ready.notify()

    def _send_partial(self) -> None:
        if self._writer and self._partial:
            partial, self._partial = self._partial, b""
            self._writer.sendall(partial)
