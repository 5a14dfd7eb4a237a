"""The watch: a thread in every web process and worker.py that looks after what could be stuck.

Twice a second each process looks for chat messages that no worker took; one of them, the leader,
also sees to the sync and the presence. See `Leader` for how it is chosen without a clock.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable
from itertools import count

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from myukm.database import count_changed, write
from myukm.errors import DomainError
from myukm.extensions import db
from myukm.models import Leader

TICK_SECONDS, LEAD_EVERY = 0.5, 2
TAKE_OVER_TICKS = 5

log = logging.getLogger(__name__)

Duty = Callable[[], None]


def start(app: Flask) -> "Watch":
    """Start the watch of this process and return it."""
    from myukm.ops.duties import duties

    watch = Watch(app, *duties())
    watch.thread.start()
    return watch


class Watch:
    """Calls `everywhere` twice a second in each process, `leading` once in the one that leads."""

    def __init__(self, app: Flask, everywhere: list[Duty], leading: list[Duty]) -> None:
        self.app, self.everywhere, self.leading = app, everywhere, leading
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.stopped = threading.Event()
        self._seen_beat, self._still = -1, 0

    def stop(self) -> None:
        """Let the thread end within a second."""
        self.stopped.set()

    def _run(self) -> None:
        for tick in count(1):
            if self.stopped.wait(TICK_SECONDS):
                return
            for duty in self.everywhere:
                self._do(duty)
            if tick % LEAD_EVERY == 0 and self._do(self._leads):
                for duty in self.leading:
                    self._do(duty)

    def _do(self, duty: Callable[[], bool | None]) -> bool | None:
        with self.app.app_context():
            try:
                return duty()
            except (SQLAlchemyError, RedisError, OSError, DomainError) as error:
                log.warning("watch: %s: %s", duty.__name__, error)
                return None

    def _leads(self) -> bool:
        """Return whether this process leads: it holds the lease, or took one that stood still."""
        holder, beat = db.session.execute(select(Leader.holder, Leader.beat)).one()
        self._still = self._still + 1 if beat == self._seen_beat else 0
        self._seen_beat = beat
        if holder != self.holder and self._still < TAKE_OVER_TICKS:
            return False
        with write() as session:
            taken = count_changed(
                session,
                update(Leader)
                .where(Leader.holder == holder, Leader.beat == beat)
                .values(holder=self.holder, beat=beat + 1),
            )
        self._seen_beat, self._still = beat + 1, 0
        return bool(taken)
