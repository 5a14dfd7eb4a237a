"""Retries each message until its channel has delivered it, in order, and reports failing
channels."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping

from flask import current_app
from redis.exceptions import RedisError

from myukm.backoff import backoff
from myukm.ops import failing_channels
from myukm.ops.alerts.channels import Message, NotDelivered, Send

MAX_WAITING = 200
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 60.0
# A channel is reported as failing after this number of failed attempts in a row.
TRIES = 3

logger = logging.getLogger(__name__)


class Outbox:
    """The waiting messages of each channel, oldest first. A channel has a thread while messages
    wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Message]] = {}
        self.failing: dict[str, str] = {}
        # True at the start, because the process that polled before may have published failures.
        self._published = True

    def put(self, message: Message, channels: Mapping[str, Send]) -> None:
        """Send a message by every channel, now or when the channel works again."""
        for name, send in channels.items():
            with self._lock:
                is_idle = name not in self._waiting
                self._waiting.setdefault(name, deque(maxlen=MAX_WAITING)).append(message)
            if is_idle:
                threading.Thread(target=self._deliver, args=(name, send), daemon=True).start()

    def _deliver(self, name: str, send: Send) -> None:
        tries = 0
        while (message := self._next(name)) is not None:
            try:
                send(message)
            except Exception as error:  # noqa: BLE001 (it is retried, and the doctor reports it)
                # The text of an unexpected error may hold a password.
                why = str(error) if isinstance(error, NotDelivered) else type(error).__name__
                logger.warning("could not deliver an alert by %s: %s", name, why)
                tries += 1
                if tries >= TRIES:
                    self.failing[name] = why
                time.sleep(backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, tries - 1))
            else:
                tries = 0
                self.failing.pop(name, None)
                self._remove(name, message)

    def _next(self, name: str) -> Message | None:
        """Return the oldest message of a channel; None ends its thread."""
        with self._lock:
            if not self._waiting[name]:
                del self._waiting[name]
                return None
            return self._waiting[name][0]

    def _remove(self, name: str, message: Message) -> None:
        """Remove a sent message, unless the deque, being full, has dropped it meanwhile."""
        with self._lock:
            if self._waiting[name][0] is message:
                self._waiting[name].popleft()

    def report_failing(self) -> None:
        """Publish which channels fail, for the doctor of every process."""
        failing = dict(self.failing)
        if not failing and not self._published:
            return
        try:
            failing_channels.publish(failing)
            self._published = bool(failing)
        except RedisError as error:
            logger.debug("failing channels: %s", error)


def outbox() -> Outbox:
    """Return this process's outbox."""
    box: Outbox = current_app.extensions.setdefault("alert_outbox", Outbox())
    return box
