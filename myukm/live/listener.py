"""One open stream as the hub sees it: what it may hear and the bytes that wait for it."""

import threading
from collections import deque
from collections.abc import Iterable

BACKLOG_BYTES = 256 * 1024

Chunk = tuple[int | None, bytes]


class Listener:
    """A bounded backlog of chunks. Who lags too far is closed and resumes by its cursor."""

    def __init__(
        self, key: str, owner: int, allowed: frozenset[str], wanted: Iterable[str] | None
    ) -> None:
        self.key, self.owner = key, owner
        self._wanted = None if wanted is None else frozenset(wanted)
        self.topics = self.narrowed(allowed)
        self.closed = False
        self._backlog: deque[Chunk] = deque()
        self._bytes = 0
        self._ready = threading.Condition()

    def narrowed(self, allowed: frozenset[str]) -> frozenset[str]:
        """Return the topics that are both allowed and asked for."""
        return allowed if self._wanted is None else allowed & self._wanted

    def put(self, seq: int | None, chunk: bytes) -> None:
        """Add a chunk, or close the listener when too much waits already."""
        with self._ready:
            if self._bytes + len(chunk) > BACKLOG_BYTES:
                self.closed = True
            else:
                self._backlog.append((seq, chunk))
                self._bytes += len(chunk)
            self._ready.notify()

    def take(self, timeout: float) -> list[Chunk]:
        """Return what waits, after at most `timeout` seconds; empty when nothing came."""
        with self._ready:
            if not self._backlog and not self.closed:
                self._ready.wait(timeout)
            taken = list(self._backlog)
            self._backlog.clear()
            self._bytes = 0
            return taken

    def close(self) -> None:
        """Let the stream end."""
        with self._ready:
            self.closed = True
            self._ready.notify()
