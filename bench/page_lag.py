"""Delay between database and page during a run, and the cost of many open pages.

    python -m bench.page_lag [--students 6000] [--pages 50] [--turns 3]

Real gunicorn, `worker.py`, Valkey and PostgreSQL. Each turn has one run with one open page and one
with many (five accounts); a page is its event stream. The cost is the number of Valkey commands and
of PostgreSQL transactions. A figure is a number of processed students; its delay is the time from
the first poll that finds it in the database until the page receives this figure or a higher one.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import redis
import requests

from bench.arguments import positive_int
from bench.polling import states
from bench.report import row, tail_row
from bench.sync import reset_payments
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from tests.faults.campus import Campus
from tests.faults.sync_round import import_students
from tests.support import people
from tests.support.postgresql import PostgreSQL
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SYNC = "/admin/sync-pembayaran"
ACCOUNTS = ("admin", "bendahara", "operator", "treasurer4", "treasurer5")
POLL_SECONDS, SETTLE_SECONDS = 0.005, 5.0


class Seen(NamedTuple):
    """A figure, and when a poll found it or the page received it."""

    at: float
    processed: int


class Measurement(NamedTuple):
    """One run: delays (s), Valkey commands and PostgreSQL transactions per second."""

    delays: list[float]
    commands: float
    transactions: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=6000)
    parser.add_argument("--pages", type=positive_int, default=50)
    parser.add_argument("--turns", type=positive_int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pg").mkdir()
        server = PostgreSQL(folder / "pg")
        campus = Campus(folder, server, students=options.students, latency_ms="50")
        campus.env["WEB_CONCURRENCY"] = "1"  # all pages in one web process
        campus.web.kill()
        campus.start_web()
        try:
            import_students(campus)
            add_treasurers(campus)
            measure(campus, options.pages)  # warms everything up
            pairs = [
                (measure(campus, 1), measure(campus, options.pages)) for _ in range(options.turns)
            ]
        finally:
            campus.stop()
            server.child.stop(5)
    report(options.pages, pairs)


def add_treasurers(campus: Campus) -> None:
    """Create the accounts that the test campus does not have."""
    with campus.app.app_context():
        for who in ACCOUNTS[3:]:
            people.NAMES[who] = (who, who, "bendahara")
            accounts.create(who, who, "bendahara", people.PASSWORD, by=Actor("bench"))


def report(pages: int, pairs: Sequence[tuple[Measurement, Measurement]]) -> None:
    """Print the delays of one page, and the ratio of the cost of many pages to that of one."""
    delays = [delay for one, _ in pairs for delay in one.delays]
    row("delay of the page, p50", statistics.median(delays) * 1000, "ms")
    tail_row("delay of the page", delays, 95, "ms", scale=1000)
    for name in ("commands", "transactions"):
        alone = statistics.median(getattr(one, name) for one, _ in pairs)
        many = statistics.median(getattr(many, name) for _, many in pairs)
        row(f"{name} per second, one page", alone, "")
        row(f"{name} per second, {pages} pages", many, "")
        row(f"{name}, ratio", many / alone, "x")


def measure(campus: Campus, pages: int) -> Measurement:
    """Do one run with `pages` open pages."""
    reset_payments(campus.app)
    with open_pages(campus, pages) as (session, reader):
        time.sleep(SETTLE_SECONDS)  # so that the pages' presence events are not measured
        client = redis.Redis.from_url(campus.valkey.url)
        before, started = usage(campus, client), time.perf_counter()
        assert session.post(f"{campus.url}{SYNC}/start", timeout=10).status_code == 202
        seen = watch_database(campus)
        seconds = time.perf_counter() - started
        after = usage(campus, client)
        client.close()
        is_complete = lambda: any(e.data.get("status") == "completed" for e in reader.events)  # noqa: E731
        wait_until(is_complete, 5, "the event of the end")
        delays = delays_of(seen, figures(reader))
    commands, transactions = ((new - old) / seconds for old, new in zip(before, after, strict=True))
    return Measurement(delays, commands, transactions)


def usage(campus: Campus, client: redis.Redis) -> tuple[int, int]:
    """Return the numbers of Valkey commands and PostgreSQL transactions so far."""
    with psycopg.connect(campus.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        query = "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"
        found = connection.execute(query).fetchone()
    assert found
    return int(client.info("stats")["total_commands_processed"]), int(found[0])


def watch_database(campus: Campus) -> list[Seen]:
    """Poll the run until it is completed; return each figure with the time it was first seen.

    All polls use one transaction, which counts once.
    """
    seen: list[Seen] = []
    query = "SELECT status, success + failed FROM sync_run ORDER BY id DESC LIMIT 1"
    with psycopg.connect(campus.env["DATABASE_URL"]) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        read = lambda: connection.execute(query).fetchone() or ("", 0)  # noqa: E731
        for status, processed in states(read, POLL_SECONDS, "the run"):
            if not seen or processed > seen[-1].processed:
                seen.append(Seen(time.perf_counter(), processed))
            if status == "completed":
                break
            assert status in ("queued", "running"), status
    return seen


@contextmanager
def open_pages(campus: Campus, pages: int) -> Iterator[tuple[requests.Session, StreamReader]]:
    """Open pages of several accounts; yield a session and the first page."""
    sessions = [campus.log_in(who) for who in ACCOUNTS]
    readers = [StreamReader(campus.url, sessions[n % len(sessions)]) for n in range(pages)]
    try:
        yield sessions[0], readers[0]
    finally:
        for reader in readers:
            reader.close()


def figures(page: StreamReader) -> list[Seen]:
    """Return the figures that the page received, with their times."""
    published = [event for event in page.events if event.type == "sync.progress"]
    return [Seen(event.at, event.data["processed"]) for event in published]


def delays_of(seen: Sequence[Seen], shown: Sequence[Seen]) -> list[float]:
    """Return each figure's delay (s): from the database until the page has it or a higher one."""
    delays = []
    for figure in seen[1:]:
        newer = (s.at for s in shown if s.processed >= figure.processed and s.at > seen[0].at)
        delays.append(max(0.0, next(newer) - figure.at))
    return delays


if __name__ == "__main__":
    main()
