"""Whether this process can serve, answered within a bounded time whatever hangs."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from myukm.extensions import db, valkey

ANSWER_SECONDS = 1.5


class Readiness(NamedTuple):
    """What answered in time."""

    database: bool
    valkey: bool


class Probe:
    """Asks a server in a thread, one at a time: whoever asks while it hangs waits for the same."""

    def __init__(self, app: Flask, ask: Callable[[], object]) -> None:
        self._app, self._ask = app, ask
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._answered = False

    def begin(self) -> None:
        """Ask, unless the last question still waits for its answer."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._answered = False
                self._thread = threading.Thread(target=self._run, name="readiness", daemon=True)
                self._thread.start()

    def answered_by(self, deadline: float) -> bool:
        """Return whether the server has answered by `deadline` (monotonic seconds)."""
        if self._thread:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return self._answered

    def _run(self) -> None:
        with self._app.app_context():
            try:
                self._ask()
            except (SQLAlchemyError, RedisError, OSError):
                return
            self._answered = True


def init_app(app: Flask) -> None:
    """Make the probes of this process."""
    app.extensions["readiness"] = (
        Probe(app, lambda: db.session.execute(text("SELECT 1"))),
        Probe(app, lambda: valkey().ping()),
    )


def check() -> Readiness:
    """Ask database and Valkey; who does not answer within `ANSWER_SECONDS` counts as away."""
    deadline = time.monotonic() + ANSWER_SECONDS
    probes: tuple[Probe, Probe] = current_app.extensions["readiness"]
    for probe in probes:
        probe.begin()
    return Readiness(*(probe.answered_by(deadline) for probe in probes))
