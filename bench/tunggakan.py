"""Server time of the list of who owes what, over many students and bills.

    python -m bench.tunggakan [--students 100000] [--times 10] [--postgresql]

Requests each filter, sort and group several times as JSON, and the page, in this process without a
web server. Prints median and p95 of each and p95 of all, and the minimum CPU time of each (with
the database's), because other load on the machine only increases CPU time.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

import config
from bench.arguments import positive_int
from bench.report import cpu_with_ended_children, percentile, row, tail_row
from devtools.sample.payments import payments
from devtools.sample.students import students
from myukm import create_app
from myukm.db import json as decimal_json
from myukm.db.session import transaction
from myukm.domain.payment_api.parser import Payments, parse
from myukm.domain.siswa.fields import FIELDS
from myukm.domain.sync import results
from myukm.extensions import db
from myukm.models import LoginSession, Siswa, User
from tests.support.postgresql import PostgreSQL

PATH = "/admin/tunggakan"
BATCH_STUDENTS = 2000
QUERIES = {
    "everybody": "",
    "last page": "page=1000000",
    "page in the middle": "page=900",
    "a unit": "unit=MTs",
    "a class": "kelas=VII A",
    "a dormitory and its rooms": "asrama=Aisyah&group=kamar",
    "who owes": "status=tunggakan",
    "who owes much, most first": "min=5000000&sort=tunggakan",
    "overpaid most": "sort=lebih_bayar",
    "latest changes": "sort=berubah",
    "never synced": "status=belum_sinkron",
    "failed": "status=gagal",
    "figures disagree": "status=tidak_cocok",
    "search": "q=siti",
    "search, nobody": "q=xyzzy",
    "by unit": "group=unit",
    "by class": "group=kelas",
    "by dormitory, of one unit": "unit=MTs&group=asrama",
    "by period": "group=period",
    "by category": "group=category",
    "a period": "period=20262027",
    "a period, who owes, most first": "period=20262027&status=tunggakan&sort=tunggakan",
    "a category": "category=SPP",
    "a category, paid up": "category=SPP&status=lunas",
    "a category of a unit, by class": "category=SPP&unit=MTs&group=kelas",
    "a period by category": "period=20252026&group=category",
    "a period, who owes, by category": "period=20262027&status=tunggakan&group=category",
    "a category, paid up, by class": "category=SPP&status=lunas&group=kelas&sort=tunggakan",
    "some owed, by category": "min=100000&max=20000000&group=category",
    "little owed, by period": "max=1000000&group=period",
    "little owed in a period, by category": "period=20262027&max=1000000&group=category",
    "little owed in a category, by period": "category=SPP&max=1000000&group=period&sort=tunggakan",
    "a period, paid up, by category": "period=20262027&status=lunas&group=category",
    "active, by category": "filter=aktif&group=category",
    "changed since, by period": "since=2026-01-01&group=period",
    "a dormitory, by period": "asrama=Aisyah&group=period",
    "who owes, by category, of one unit": "unit=MTs&status=tunggakan&group=category",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=100_000)
    parser.add_argument("--times", type=positive_int, default=10)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with campus(lambda: fill(options.students), postgresql=options.postgresql) as app:
        with app.app_context():
            row("bills", db.session.scalar(text("SELECT count(*) FROM tagihan")) or 0, "")
        client = log_in(app)
        measure(client, options.times)
        pages = [
            response_ms(client, f"{PATH}?group=unit", "text/html") for _ in range(options.times + 1)
        ]
        row("the page, the first time", pages[0], "ms")
        tail_row("the page", pages[1:], 95, "ms")


def measure(client: FlaskClient, times: int) -> None:
    """Request every query, and print how long each takes."""
    all_ms, min_cpu_ms = list[float](), list[float]()
    for name, query in QUERIES.items():
        times_ms, cpu_ms = list[float](), list[float]()
        for _ in range(times):
            before = cpu()
            times_ms.append(response_ms(client, f"{PATH}?{query}"))
            cpu_ms.append((cpu() - before) * 1000)
        row(f"{name}, median", percentile(times_ms, 50), "ms")
        tail_row(name, times_ms, 95, "ms")
        row(f"{name}, CPU", min(cpu_ms), "ms")
        all_ms += times_ms
        min_cpu_ms.append(min(cpu_ms))
    tail_row("all", all_ms, 95, "ms")
    tail_row("all, CPU", min_cpu_ms, 95, "ms")
    row("all, CPU, max", max(min_cpu_ms), "ms")


def cpu() -> float:
    """Return the CPU seconds of this process and of the database that it has started."""
    this = psutil.Process()
    # Children first: if one ends meanwhile, its CPU time is then in its parent's figures.
    return cpu_with_ended_children((*reversed(this.children(recursive=True)), this))


@contextmanager
def campus(fill: Callable[[], None], *, postgresql: bool) -> Iterator[Flask]:
    """Create a database, call `fill` in the app's context, vacuum the database; yield the app."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pg").mkdir()
        server = PostgreSQL(folder / "pg") if postgresql else None
        url = server.fresh_database() if server else f"sqlite:///{folder}/b.db"
        settings = {"DATABASE_URL": url, "SECRET_KEY": secrets.token_urlsafe(32)}
        app = create_app(config.load(settings))
        try:
            with app.app_context():
                flask_migrate.upgrade()
                fill()
                vacuum()
            yield app
            with app.app_context():
                db.engine.dispose()
        finally:
            if server:
                server.child.stop(5)


def fill(count: int) -> None:
    """Insert `count` students of the sample campus; store the payments of 99 in 100."""
    columns = {column: name for name, column in FIELDS.items()}
    new: dict[int, Payments] = {}
    rows: list[dict[str, object]] = []
    for key, student in enumerate(students(count), 1):
        values = {column: str(student[name] or "") for column, name in columns.items()}  # type: ignore[literal-required]
        rows.append({"id": key, **values})
        if key % 100:
            body = decimal_json.dumps({"data": payments(student)}).encode()
            new[key] = parse(body, student["idperson"])
        if len(rows) == BATCH_STUDENTS or key == count:
            with transaction() as session:
                session.add_all(Siswa(**one) for one in rows)
                session.flush()
                results.store(session, new)
            rows, new = [], {}


def vacuum() -> None:
    """Do what PostgreSQL's autovacuum does within minutes of a sync.

    Before it, PostgreSQL reads the table although an index has all requested columns, and its
    planner has no statistics. An autovacuum during the measurement would be measured too.
    """
    on_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if on_sqlite else "VACUUM ANALYZE"))


def log_in(app: Flask) -> FlaskClient:
    """Return a logged-in treasurer's client."""
    with app.app_context(), transaction() as session:
        person = {"nim": "b1", "name": "Bench", "role": "bendahara", "password_hash": "-"}
        session.add(User(id=1, **person))
        session.flush()
        session.add(LoginSession(token_hash=LoginSession.digest("bench"), user_id=1))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = "bench", True
    return client


def response_ms(client: FlaskClient, address: str, kind: str = "application/json") -> float:
    """Return the milliseconds of one answer."""
    started = time.perf_counter()
    answer = client.get(address, headers={"Accept": kind})
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
