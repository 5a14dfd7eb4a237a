"""Sends messages by each channel in order, and retries each until its channel has delivered it.

Two kinds of messages are dropped, with a log line: the oldest when more than `MAX_WAITING` wait for
one channel, and one that may itself be why it cannot be delivered, after the `attempts` of its
failure.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping

from flask import current_app

from myukm.backoff import backoff
from myukm.ops.alerts.channels import Message, NotDelivered, Refused, Send

MAX_WAITING = 200
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 60.0
# A channel is reported as failing after this number of failed attempts in a row.
FAILURES_UNTIL_REPORTED = 3

logger = logging.getLogger(__name__)


class Outbox:
    """The waiting messages of each channel, oldest first. A channel has a thread while messages
    wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Message]] = {}
        self._running: set[str] = set()
        self.failing: dict[str, str] = {}

    def put(self, message: Message, channels: Mapping[str, Send]) -> None:
        """Send a message by every channel, now or when the channel works again."""
        for name in channels:
            with self._lock:
                waiting = self._waiting.setdefault(name, deque())
                if len(waiting) >= MAX_WAITING:
                    _log_dropped(waiting.popleft(), name, "too many wait")
                waiting.append(message)
        self.resume(channels)

    def resume(self, channels: Mapping[str, Send]) -> None:
        """Start a thread for each channel that has messages and no thread. The system may refuse
        one, so call this from time to time."""
        for name, send in channels.items():
            with self._lock:
                if name in self._running or name not in self._waiting:
                    continue
                self._running.add(name)
            try:
                threading.Thread(target=self._deliver, args=(name, send), daemon=True).start()
            except RuntimeError as error:
                self._running.remove(name)
                logger.warning("cannot send alerts by %s yet: %s", name, error)

    def _deliver(self, name: str, send: Send) -> None:
        tries = suspicious = 0
        while (message := self._next(name)) is not None:
            try:
                send(message)
            except Exception as error:  # noqa: BLE001 (it is retried, and the doctor reports it)
                tries += 1
                self._failed(name, error, tries)
                # Our code fails in the same way at each attempt.
                cause = type(error) if isinstance(error, NotDelivered) else Refused
                suspicious = suspicious + 1 if cause.attempts else 0
                if cause.attempts and suspicious >= cause.attempts:
                    _log_dropped(message, name, "it may be why each attempt fails")
                    self._remove(name, message)
                    tries = suspicious = 0
                else:
                    time.sleep(backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, tries - 1))
            else:
                tries = suspicious = 0
                self.failing.pop(name, None)
                self._remove(name, message)

    def _failed(self, name: str, error: Exception, tries: int) -> None:
        # The text of an unexpected error may hold a password.
        why = str(error) if isinstance(error, NotDelivered) else type(error).__name__
        logger.warning("could not deliver an alert by %s: %s", name, why)
        if tries >= FAILURES_UNTIL_REPORTED:
            self.failing[name] = why

    def _next(self, name: str) -> Message | None:
        """Return the oldest message of a channel; None ends its thread."""
        with self._lock:
            if not self._waiting[name]:
                del self._waiting[name]
                self._running.remove(name)
                return None
            return self._waiting[name][0]

    def _remove(self, name: str, message: Message) -> None:
        """Remove a message, unless `put` or `clear` has removed it meanwhile."""
        with self._lock:
            waiting = self._waiting[name]
            if waiting and waiting[0] is message:
                waiting.popleft()

    def waiting(self) -> dict[str, list[Message]]:
        """Return the waiting messages of each channel that has any, oldest first."""
        with self._lock:
            return {name: list(each) for name, each in self._waiting.items() if each}

    def clear(self) -> None:
        """Forget all messages and failures; the threads end."""
        with self._lock:
            for each in self._waiting.values():
                each.clear()
        self.failing.clear()


def _log_dropped(message: Message, name: str, why: str) -> None:
    logger.error("dropped the alert %s by %s, because %s", message["code"], name, why)


def outbox() -> Outbox:
    """Return this process's outbox."""
    box: Outbox = current_app.extensions.setdefault("alert_outbox", Outbox())
    return box
