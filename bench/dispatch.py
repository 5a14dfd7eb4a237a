"""Time to write the items of a run, compared with a bare INSERT … SELECT.

    python -m bench.dispatch [--students 100000] [--turns 3] [--postgresql | --mariadb]

The two alternate on the same database, each while another process updates a row every 10 ms: its
longest wait is the delay that a web server would see.
"""

import argparse
import logging
import multiprocessing
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update

import config
from bench.arguments import positive_int
from bench.report import row
from myukm import create_app
from myukm.db.session import transaction
from myukm.domain.sync import dispatching
from myukm.extensions import db
from myukm.models import Alert, Siswa, SyncItem, SyncRun
from tests.support.mariadb import MariaDB
from tests.support.postgresql import PostgreSQL

BARE = text(
    "INSERT INTO sync_item (run_id, idperson, status, attempts, breaker_hits, retry_after_seconds) "
    "SELECT :run, idperson, 'pending', 0, 0, 0 FROM siswa ORDER BY id"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=100_000)
    parser.add_argument("--turns", type=positive_int, default=3)
    add_database_options(parser)
    options = parser.parse_args()
    logging.disable()  # the warnings that Valkey is unreachable
    with database_settings(options) as env:
        app = create_app(config.load(env))
        create_students(app, options.students)
        ours, bare, waits, bare_waits = [], [], [], []
        for turn in range(options.turns + 1):
            run_id = queue_run(app)
            with other_writer(env) as longest:
                seconds = dispatch(app, run_id)
            with other_writer(env) as longest_of_bare:
                baseline = bare_insert(app)
            if turn:  # the first turn warms everything up
                ours.append(seconds)
                bare.append(baseline)
                waits.append(longest[0])
                bare_waits.append(longest_of_bare[0])
    row("dispatch", statistics.median(ours) * 1000, "ms")
    row("bare INSERT … SELECT", statistics.median(bare) * 1000, "ms")
    row("ratio", statistics.median(o / b for o, b in zip(ours, bare, strict=True)), "x")
    row("longest wait of another writer", statistics.median(waits) * 1000, "ms")
    row("the same, beside the bare INSERT", statistics.median(bare_waits) * 1000, "ms")


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `database_settings` reads."""
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--mariadb", action="store_true")


@contextmanager
def database_settings(options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Start the database and yield the settings; Valkey is not needed and not started."""
    with tempfile.TemporaryDirectory() as name:
        env = {"REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": secrets.token_urlsafe(32)}
        kind = PostgreSQL if options.postgresql else MariaDB if options.mariadb else None
        if kind is None:
            yield {**env, "DATABASE_URL": f"sqlite:///{name}/bench.db"}
            return
        folder = Path(name) / "server"
        folder.mkdir()
        with kind(folder) as server:
            yield {**env, "DATABASE_URL": server.fresh_database()}


def create_students(app: Flask, count: int) -> None:
    """Create the tables and the students."""
    with app.app_context():
        flask_migrate.upgrade()
        for first in range(0, count, 10_000):
            numbers = range(first, min(first + 10_000, count))
            rows = [{"idperson": f"{n:08}", "nama": f"Siswa {n}"} for n in numbers]
            with transaction() as session:
                session.execute(insert(Siswa), rows)


def queue_run(app: Flask) -> int:
    """Delete all items, let no run be live, and return the id of a new live run."""
    with app.app_context(), transaction() as session:
        session.execute(delete(SyncItem))
        session.execute(update(SyncRun).values(live=None))
        run = SyncRun(live=1)
        session.add(run)
    return run.id


def dispatch(app: Flask, run_id: int) -> float:
    """Dispatch the run and return the seconds it took."""
    with app.app_context():
        started = time.perf_counter()
        total = dispatching.dispatch(run_id)
        seconds = time.perf_counter() - started
        assert total == db.session.scalar(select(func.count(Siswa.id)))
        return seconds


def bare_insert(app: Flask) -> float:
    """Insert the same rows by one statement and return the seconds it took."""
    with app.app_context():
        with transaction() as session:
            session.execute(delete(SyncItem))
            run = SyncRun(live=None)
            session.add(run)
        started = time.perf_counter()
        with transaction() as session:
            session.execute(BARE, {"run": run.id})
        return time.perf_counter() - started


@contextmanager
def other_writer(env: dict[str, str]) -> Iterator[list[float]]:
    """Update a row repeatedly in another process, for the block; yield a list to which its longest
    wait (seconds) is appended at the end."""
    context = multiprocessing.get_context("spawn")
    ready, stop, answer = context.Event(), context.Event(), context.Queue()
    arguments = (env, ready, stop, answer)
    process = context.Process(target=keep_writing, args=arguments, daemon=True)
    process.start()
    longest: list[float] = []
    try:
        assert ready.wait(30), "the other writer did not start"
        yield longest
    finally:
        stop.set()
        longest.append(answer.get(timeout=120))
        process.join()


def keep_writing(
    env: dict[str, str], ready: Event, stop: Event, answer: "multiprocessing.Queue[float]"
) -> None:
    """Write until `stop` is set, then put the longest wait (seconds) into `answer`."""
    app, longest = create_app(config.load(env)), 0.0
    with app.app_context(), transaction() as session:
        session.add(alert := Alert(code="bench", level="", message=""))
    while not stop.is_set():
        with app.app_context():
            started = time.perf_counter()
            with transaction() as session:
                statement = update(Alert).where(Alert.id == alert.id)
                session.execute(statement.values(message=str(started)))
            if ready.is_set():
                longest = max(longest, time.perf_counter() - started)
        ready.set()
        stop.wait(0.01)
    answer.put(longest)


if __name__ == "__main__":
    main()
