"""Time to prune an oversized event log, and the latency of chat messages meanwhile.

    python -m bench.prune [--events 1000000] [--postgresql | --mariadb]

Starts from an unpruned log, with real Valkey, gunicorn and worker.py. Users post messages while the
leader prunes, and for the same time afterwards. Meanwhile another process updates a row every 10
ms: its longest wait is the time for which a portion locks the database.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import flask_migrate
import requests
from flask import Flask
from sqlalchemy import insert, update

import config
from bench.arguments import positive_int
from bench.dispatch import add_database_options, database_settings, other_writer
from bench.report import row, tail_row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.live import retention
from myukm.live.event_log import Event, EventCounter
from tests.support import people
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until

BATCH_EVENTS = 10_000
# Keeps a user below the chat's limit of 20 messages in 10 seconds.
PAUSE_SECONDS = 0.55
AUTHORS = {"member": "ROBOTIK", "friend": "ROBOTIK", "outsider": "PRAMUKA"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=positive_int, default=1_000_000)
    add_database_options(parser)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        env = stack.enter_context(database_settings(options)) | {"REDIS_URL": valkey.url}
        app = create_app(config.load(env))
        fill(app, options.events)
        web = WebServer(folder / "web.log", env, workers=2)
        stack.callback(web.kill)
        worker = Program(folder / "worker.log", env, "python", "worker.py")
        stack.callback(worker.kill)
        measure(app, env, web)


def fill(app: Flask, count: int) -> None:
    """Create the tables, the users, and a log of recent events far above its limit."""
    with app.app_context():
        flask_migrate.upgrade()
        people.create_accounts()
        at = utcnow() - timedelta(hours=6)
        for first in range(1, count + 1, BATCH_EVENTS):
            numbers = range(first, min(first + BATCH_EVENTS, count + 1))
            with transaction() as session:
                session.execute(insert(Event), [event(n) | {"at": at} for n in numbers])
        with transaction() as session:
            session.execute(update(EventCounter).values(value=count))


def event(number: int) -> dict[str, object]:
    """Return an event like those of the chat."""
    subject = {"topic": "ukm:ROBOTIK", "type": "chat.message", "ref": number}
    return {"seq": number, **subject, "data": "{}"}


def measure(app: Flask, env: dict[str, str], web: WebServer) -> None:
    """Print the time that pruning takes, and the time of a POST meanwhile and afterwards."""
    began = time.monotonic()
    with other_writer(env) as longest:
        while_pruning = post_until(web, lambda: events(app) <= retention.MAX_EVENTS + 1_000)
    pruned = time.monotonic() - began
    ends = time.monotonic() + pruned
    afterwards = post_until(web, lambda: time.monotonic() > ends)
    row("pruned to the limit after", pruned, "s")
    row("longest wait of another writer", longest[0] * 1000, "ms")
    for name, times in (("while pruning", while_pruning), ("afterwards", afterwards)):
        row(f"POST messages {name}, number", len(times), "")
        row(f"POST messages {name}, median", statistics.median(times) * 1000, "ms")
        tail_row(f"POST messages {name}", times, 99, "ms", scale=1000)


def events(app: Flask) -> int:
    """Return the number of events in the log."""
    with app.app_context():
        return retention.size().events


def post_until(web: WebServer, done: Callable[[], bool]) -> list[float]:
    """Let all users post until `done()`; return the seconds of each post."""
    ended, times = threading.Event(), list[float]()
    threads = [
        threading.Thread(target=keep_posting, args=(web, who, ended, times)) for who in AUTHORS
    ]
    for thread in threads:
        thread.start()
    try:
        wait_until(done, 300, "the end")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    return times


def keep_posting(web: WebServer, who: str, ended: threading.Event, times: list[float]) -> None:
    """Log in and post messages until `ended` is set."""
    session = requests.Session()
    login = {"nim": people.NAMES[who][0], "password": people.PASSWORD}
    session.post(f"{web.url}/login", json=login, timeout=10).raise_for_status()
    while not ended.wait(PAUSE_SECONDS):
        body = {"message": "halo", "client_id": str(time.monotonic_ns())}
        address = f"{web.url}/ukm/{AUTHORS[who]}/messages"
        began = time.perf_counter()
        session.post(address, json=body, timeout=30).raise_for_status()
        times.append(time.perf_counter() - began)


if __name__ == "__main__":
    main()
