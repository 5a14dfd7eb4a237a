"""A subscriber: one open stream, with its topics and its connection."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from myukm.live.connection import Connection

MAX_EARLY_CHUNKS = 1000


class Chunk(NamedTuple):
    """Bytes encoded once for all subscribers; `framed` is their HTTP/1.1 chunk.

    `seq` is the number of the chunk's first replayed event. A chunk of several events has them one
    by one as `parts`.
    """

    seq: int | None
    plain: bytes
    framed: bytes
    parts: "tuple[Chunk, ...]" = ()

    @classmethod
    def of(cls, seq: int | None, plain: bytes) -> "Chunk":
        """Return the chunk of an encoded event."""
        return cls(seq, plain, b"%x\r\n%s\r\n" % (len(plain), plain))

    @classmethod
    def join(cls, parts: "Sequence[Chunk]") -> "Chunk":
        """Return one chunk of several events."""
        if len(parts) == 1:
            return parts[0]
        chunk = cls.of(parts[0].seq, b"".join(part.plain for part in parts))
        return chunk._replace(parts=tuple(parts))


class Subscriber:
    """A stream: its log-in (`key`), its account (`owner`), its own random `name`, and its topics.

    Until its response has begun it has no connection, and events wait. Events up to `cursor` are
    not sent, because the first bytes of the response contain them.
    """

    __slots__ = (
        *("_connection", "_early", "_requested"),
        *("closed", "cursor", "key", "name", "owner", "topics"),
    )

    def __init__(
        self,
        key: str,
        owner: int,
        name: str,
        allowed: frozenset[str],
        requested: Iterable[str] | None,
    ) -> None:
        self.key, self.owner, self.name = key, owner, name
        self._requested = None if requested is None else frozenset(requested)
        self.topics = self.allowed_topics(allowed)
        self.closed = False
        self.cursor = -1
        self._connection: Connection | None = None
        self._early: list[Chunk] = []

    def allowed_topics(self, allowed: frozenset[str]) -> frozenset[str]:
        """Return the topics that are both allowed and requested."""
        return allowed if self._requested is None else allowed & self._requested

    def push(self, chunk: Chunk) -> None:
        """Send a chunk, without events up to `cursor`."""
        connection = self._connection
        if connection is None:
            self._keep_until_connected(chunk)
        elif chunk.seq is None or chunk.seq > self.cursor:
            connection.write(chunk.framed if connection.chunked else chunk.plain)
        else:
            for part in chunk.parts:
                self.push(part)

    def connect(self, connection: Connection) -> None:
        """Write the waiting events to `connection`, and from now on all."""
        early, self._early = self._early, []
        self._connection = connection
        for chunk in early:
            self.push(chunk)
        if self.closed:
            connection.finish(b"")

    def flush(self) -> None:
        """Write as much of the backlog as the client takes."""
        if self._connection:
            self._connection.flush()

    def end(self, last: bytes = b"") -> None:
        """End the stream, with `last` as its last event."""
        if last:
            self.push(Chunk.of(None, last))
        self.closed = True
        if self._connection:
            self._connection.finish(b"")

    def _keep_until_connected(self, chunk: Chunk) -> None:
        if self.closed:
            return
        self._early.append(chunk)
        if len(self._early) > MAX_EARLY_CHUNKS:
            self._early.clear()
            self.end()
