"""A logging handler that sends the lines of this process to the stream in Valkey.

Logging only appends to a bounded buffer, which a thread sends. Without Valkey the buffer fills up;
further lines are counted and dropped here, but standard error has all lines.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import redis

from myukm import shutdown
from myukm.logs import lines, log_stream
from myukm.logs.outages import Outage
from myukm.valkey_clients import log_client

MAX_PENDING, BATCH = 2000, 500
BATCH_SECONDS, RETRY_SECONDS, WAIT_SECONDS = 0.1, 2.0, 0.5
_thread = threading.local()
logger = logging.getLogger(__name__)


@contextmanager
def sending() -> Iterator[None]:
    """Do not collect the lines that this thread logs inside the block, because the sender itself
    logs them, and sending each would log the next."""
    _thread.sends = True
    try:
        yield
    finally:
        _thread.sends = False


class LogShipper(logging.Handler):
    """Sends the lines of this process, and of the processes that it forks, to the stream.

    `kind` is the program that logs. A process that `forks` its workers may have no thread, so
    `emit` sends each of its few lines at once. With `waits` a fork sends nothing before `begin()`,
    because gunicorn's workers log before gevent is ready for a thread.
    """

    def __init__(self, url: str, kind: str, *, forks: bool = False, waits: bool = False) -> None:
        super().__init__(logging.INFO)
        self.url, self._kind, self._forks, self._waits = url, kind, forks, waits
        self._reset()

    def _reset(self) -> None:
        self._pending: deque[bytes] = deque()
        self._dropped, self._retry_at = 0, 0.0
        self._outage = Outage(logger, "log lines are not collected")
        self._client: redis.Redis | None = None
        self._wake: SimpleQueue[None] = SimpleQueue()  # whose `put` is safe in a signal handler
        self._is_awake, self._may_begin = False, not self._forks
        self._sender: threading.Thread | None = None
        self._turn = threading.Lock()

    def after_fork(self) -> None:
        """Reset in a forked child, which lacks its parent's thread and must not send its lines."""
        was_parent, self._forks = self._forks, False
        self._reset()
        self._may_begin = not (was_parent and self._waits)

    def begin(self) -> None:
        """Begin to send, in a fork that `waits`, also the lines logged so far."""
        self._may_begin = True
        self._wake_sender()

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line to the buffer, or drop it if the buffer is full. An error, for example of a
        line that cannot be encoded, is printed and ends neither the caller nor the sender."""
        if getattr(_thread, "sends", False):
            return
        if len(self._pending) >= MAX_PENDING:
            self._dropped += 1
            return
        try:
            self._pending.append(self._encoded(record))
            if self._forks:
                self.flush()
            else:
                self._wake_sender()
        except Exception:  # noqa: BLE001 (as all handlers of `logging` do)
            self.handleError(record)

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return log_stream.encoded(lines.fields(record, self._kind))

    def _wake_sender(self) -> None:
        if self._is_awake or not self._may_begin:
            return
        if self._sender is None:
            sender = threading.Thread(target=self._run, name="log-shipper", daemon=True)
            shutdown.start_without_signals(sender)
            self._sender = sender  # after the start, so that the next line tries one that failed
        self._is_awake = True
        self._wake.put(None)

    def _run(self) -> None:
        while True:
            self._wake.get()
            time.sleep(BATCH_SECONDS)
            self._is_awake = False
            while not self.flush():
                time.sleep(RETRY_SECONDS)

    def flush(self) -> bool:  # type: ignore[override]  # logging's own returns nothing
        """Send the pending lines and return whether none is left. Also called by `logging` at the
        end of the process."""
        if not self._pending and not self._dropped:
            return True
        if time.monotonic() < self._retry_at or not self._turn.acquire(timeout=WAIT_SECONDS):
            return False
        try:
            with sending():
                return self._attempt()
        finally:
            self._turn.release()

    def _attempt(self) -> bool:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 (nothing would restart the sender)
            self._client, self._retry_at = None, time.monotonic() + RETRY_SECONDS
            self._outage.failed(error)
            return False
        self._outage.worked()
        return True

    def _send(self) -> None:
        client = self._client or log_client(self.url)
        self._client = None if self._forks else client
        while self._pending:
            count = min(BATCH, len(self._pending))
            batch = [self._pending.popleft() for _ in range(count)]
            try:
                log_stream.add(client, batch)
            except BaseException:
                self._pending.extendleft(reversed(batch))
                raise
        if dropped := self._dropped:
            log_stream.add(client, [self._about_dropped(dropped)])
            self._dropped -= dropped
        if self._forks:
            client.close()

    def _about_dropped(self, count: int) -> bytes:
        text = "%d log lines were dropped because Valkey was down"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (count,), None)
        return self._encoded(record)


_installed: list[LogShipper] = []


def install(handler: LogShipper) -> None:
    """Make `handler` the only shipper of this process; it is reset in each forked child."""
    _installed[:] = [handler]


def flush() -> None:
    """Send the pending lines of this process, because it is about to end."""
    for handler in _installed:
        handler.flush()


def begin() -> None:
    """Begin to send lines, in a fork that `waits`."""
    for handler in _installed:
        handler.begin()


def _after_fork() -> None:
    for handler in _installed:
        handler.after_fork()


os.register_at_fork(after_in_child=_after_fork)
