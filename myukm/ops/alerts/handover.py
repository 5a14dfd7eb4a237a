"""Hands the waiting messages to the process that polls next, because the cure of a failing channel
is often a restart: the settings are read at the start.

A message that was sent after the last poll may be sent twice. One is lost only if its process ends
while Valkey is away, or if its channel is no longer configured, which is logged.
"""

import contextlib
import json
import logging
from collections.abc import Mapping
from typing import cast

from flask import current_app
from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.ops import failing_channels
from myukm.ops.alerts.channels import Send
from myukm.ops.alerts.outbox import Outbox, outbox

KEY = "myukm:alerts:waiting"

logger = logging.getLogger(__name__)


class Handover:
    """The copy of an outbox in Valkey: for each channel's name the messages that wait, in JSON."""

    def __init__(self, box: Outbox) -> None:
        self._box = box
        self._has_loaded = self._is_saved = False
        self._has_copy = True

    def load(self, channels: Mapping[str, Send]) -> None:
        """Put the messages that the process before left into the outbox; at a later call if Valkey
        is away. Their channels count as failing until they have delivered one."""
        if self._has_loaded:
            return
        with contextlib.suppress(RedisError):
            copy = cast(dict[bytes, bytes], valkey().hgetall(KEY))
            failing = failing_channels.published()
            self._has_loaded = self._has_copy = True
            left = {name.decode(): json.loads(text) for name, text in copy.items()}
            names = failing.keys() & left.keys() & channels.keys()
            self._box.failing |= {name: failing[name] for name in names}
            for name, messages in left.items():
                if name not in channels:
                    logger.error("dropped %d alerts by %s, which is not set", len(messages), name)
                    continue
                for message in messages:
                    self._box.put(message, {name: channels[name]})

    def save(self) -> None:
        """Copy the waiting messages, and publish which channels fail for the doctor of every
        process. Does nothing before `load`, whose messages it would delete."""
        waiting, failing = self._box.waiting(), dict(self._box.failing)
        if not self._has_loaded or not (waiting or failing or self._has_copy):
            return
        self._is_saved = False
        with contextlib.suppress(RedisError), valkey().pipeline() as pipe:
            pipe.delete(KEY)
            for name, messages in waiting.items():
                pipe.hset(KEY, name, json.dumps(messages))
            pipe.execute()
            failing_channels.publish(failing)
            self._is_saved, self._has_copy = True, bool(waiting or failing)

    def release(self) -> None:
        """Forget the messages, because another process polls now and has loaded the copy. Those
        that are not in the copy are still sent by this process."""
        if self._is_saved:
            self._box.clear()
        self._has_loaded = False


def handover() -> Handover:
    """Return the handover of this process's outbox."""
    if "alert_handover" not in current_app.extensions:
        current_app.extensions["alert_handover"] = Handover(outbox())
    found: Handover = current_app.extensions["alert_handover"]
    return found
