"""Server time of a search in 1,000,000 messages, for the most frequent word, the rarest and others.

    python -m bench.search [--messages 1000000] [--ukms 50] [--postgresql | --mariadb]

`GET /ukm/<code>/search` and `GET /ukm/search`, requested in this process without network. Words are
distributed as in natural language: the most frequent is in every third message, the rarest in one.
Half of all messages are in one UKM, and the searcher is a member of five. Also prints the time of
the migration that indexes the stored messages, and of the POST of a message afterwards.
"""

import argparse
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import flask_migrate
import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import column, insert, table, update

import config
from bench.arguments import positive_int
from bench.report import cpu_seconds, row, tail_row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import UTCDateTime, utcnow
from myukm.domain import flood
from myukm.models import LoginSession, Membership, Ukm
from tests.support.mariadb import MariaDB
from tests.support.old_database import store
from tests.support.postgresql import PostgreSQL
from tests.support.servers import DatabaseServer

PEOPLE, BATCH_MESSAGES, REQUESTS, VOCABULARY, OWN_UKMS = 200, 10_000, 40, 50_000, 5
BEFORE_SEARCH = "0029"  # the last migration without search
OLD_MESSAGE = table(
    "chat_message",
    *map(column, ("ukm_id", "user_id", "client_id", "number", "body")),
    column("created_at", UTCDateTime()),
    column("published_at", UTCDateTime()),
)
RAREST = "jarumtunggal"
SEARCHES = {
    "the most frequent word": "kata0",
    "a word in one of 200": "kata50",
    "a word in one of 5,000": "kata2000",
    "the rarest word": RAREST,
    "a word that is nowhere": "tidakada",
    "two frequent words": "kata0 kata1",
    "a phrase": '"kata0 kata1"',
    "a frequent word of one author": "kata0 dari:bench17",
    "a frequent word, a filter of time": "kata0 sejak:2020",
}


def main() -> None:
    """Fill a database, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=positive_int, default=1_000_000)
    parser.add_argument("--ukms", type=positive_int, default=50)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--mariadb", action="store_true")
    options = parser.parse_args()
    flood.WITHIN_MILLISECONDS = 0  # no rate limit, because one user posts all messages
    server = None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        url = f"sqlite:///{folder}/bench.db"
        if options.postgresql or options.mariadb:
            kind = PostgreSQL if options.postgresql else MariaDB
            server = stack.enter_context(kind(folder))
            url = server.fresh_database()
        env = {"DATABASE_URL": url, "REDIS_URL": valkey.url, "SECRET_KEY": secrets.token_hex(32)}
        app = create_app(config.load(env))
        client = populate(app, options.messages, options.ukms)
        measure(client, server)


def populate(app: Flask, count: int, ukms: int) -> FlaskClient:
    """Fill the UKMs and return a logged-in client of a member of the first five."""
    with app.app_context():
        flask_migrate.upgrade(revision=BEFORE_SEARCH)
        store("ukm", *map(old_ukm, range(1, ukms + 1)))
        store("user_account", *map(old_account, range(1, PEOPLE + 1)))
        rows = messages(count, ukms)
        while batch := list(islice(rows, BATCH_MESSAGES)):
            with transaction() as session:
                session.execute(insert(OLD_MESSAGE), batch)
        began = time.perf_counter()
        flask_migrate.upgrade()
        row("upgrade", time.perf_counter() - began, "s")
        with transaction() as session:
            session.execute(update(Ukm).values(last_number=count))
            session.add_all(
                Membership(ukm_id=n, user_id=1) for n in range(1, min(OWN_UKMS, ukms) + 1)
            )
            session.add(LoginSession(token_hash=LoginSession.digest("bench"), user_id=1))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = "bench", True
    return client


def old_ukm(n: int) -> dict[str, Any]:
    """Return the row of a UKM with the columns of the schema before search."""
    code = f"B{n:02}"
    names = {"code": code, "join_code": code, "name": code, "description": ""}
    return {"id": n, **names, "last_number": 0, "created_at": utcnow()}


def old_account(n: int) -> dict[str, Any]:
    """Return the row of an account with the columns of the schema before search."""
    names = {"nim": f"b{n}", "name": f"Bench{n}", "role": "anggota"}
    return {"id": n, **names, "password_hash": "-", "created_at": utcnow()}


def messages(count: int, ukms: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the messages, every second one in the first UKM."""
    rng = random.Random(1)
    vocabulary = [f"kata{n}" for n in range(VOCABULARY)]
    weights = list(accumulate(1 / (n + 1) for n in range(VOCABULARY)))
    start = utcnow() - timedelta(seconds=count)
    for n in range(1, count + 1):
        body = " ".join(rng.choices(vocabulary, cum_weights=weights, k=rng.randint(3, 13)))
        at = start + timedelta(seconds=n)
        yield {
            "ukm_id": 1 if n % 2 else rng.randint(1, ukms),
            "user_id": n % PEOPLE + 1,
            "client_id": str(n),
            "number": n,
            "body": f"{body} {RAREST}" if n == 3 else body,
            "created_at": at,
            "published_at": at,
        }


def measure(client: FlaskClient, server: DatabaseServer | None) -> None:
    """Print the time of each kind of search, in one UKM and in all of the searcher's.

    CPU time is that of this process and of the database. It depends less on the machine's load.
    """
    for where in ("/ukm/B01/search", "/ukm/search"):
        print(f"GET {where}")
        for name, text in SEARCHES.items():
            response_seconds(client, where, text)
            before = cpu(server)
            times = [response_seconds(client, where, text) for _ in range(REQUESTS)]
            row(f"{name}, CPU", (cpu(server) - before) / REQUESTS * 1000, "ms")
            row(f"{name}, median", statistics.median(times) * 1000, "ms")
            tail_row(name, times, 95, "ms", scale=1000)
    times = [post_seconds(client, n) for n in range(REQUESTS)]
    row("POST of a message, median", statistics.median(times) * 1000, "ms")


def cpu(server: DatabaseServer | None) -> float:
    """Return the seconds of CPU that this process and the database's processes used."""
    of_server = psutil.Process(server.child.pid).children(recursive=True) if server else []
    return time.process_time() + sum(map(cpu_seconds, of_server))


def response_seconds(client: FlaskClient, where: str, text: str) -> float:
    """Return the seconds that one answer takes."""
    started = time.perf_counter()
    answer = client.get(where, query_string={"q": text})
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - started


def post_seconds(client: FlaskClient, n: int) -> float:
    """Return the seconds that storing a message takes."""
    started = time.perf_counter()
    sent = {"message": f"kata0 kata1 kata{n} halo semua", "client_id": secrets.token_hex(8)}
    answer = client.post("/ukm/B01/messages", json=sent)
    assert answer.status_code == 201, answer.text
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
