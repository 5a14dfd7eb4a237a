"""Whether this process can serve requests, answered within `ANSWER_SECONDS` whatever hangs."""

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
    """Whether each server answered in time."""

    database: bool
    valkey: bool


class Query(threading.Thread):
    """One query to a server, made by `send`; `answered` is true once the query has succeeded."""

    def __init__(self, app: Flask, send: Callable[[], object]) -> None:
        super().__init__(name="readiness", daemon=True)
        self._app, self._send = app, send
        self.answered = False

    def run(self) -> None:
        with self._app.app_context():
            try:
                self._send()
            except (SQLAlchemyError, RedisError, OSError):
                return
            self.answered = True

    def answered_by(self, deadline: float) -> bool:
        """Wait until `deadline` (monotonic seconds) at most; return whether the server answered."""
        self.join(max(0.0, deadline - time.monotonic()))
        return self.answered


class Probe:
    """Queries one server in a thread, because the server may hang. Requests that come meanwhile
    share the query, so a server that hangs costs one thread."""

    def __init__(self, app: Flask, send: Callable[[], object]) -> None:
        self._app, self._send = app, send
        self._starting = threading.Lock()
        self._query: Query | None = None

    def query(self) -> Query:
        """Return the query that is under way, or a new one."""
        with self._starting:
            if self._query is None or not self._query.is_alive():
                self._query = Query(self._app, self._send)
                self._query.start()
            return self._query


def init_app(app: Flask) -> None:
    """Make this process's probes of database and Valkey."""
    app.extensions["readiness"] = (
        Probe(app, lambda: db.session.execute(text("SELECT 1"))),
        Probe(app, lambda: valkey().ping()),
    )


def check() -> Readiness:
    """Query database and Valkey at the same time; return which of them answered within
    `ANSWER_SECONDS`."""
    deadline = time.monotonic() + ANSWER_SECONDS
    probes: tuple[Probe, Probe] = current_app.extensions["readiness"]
    queries = [probe.query() for probe in probes]
    return Readiness(*(query.answered_by(deadline) for query in queries))
