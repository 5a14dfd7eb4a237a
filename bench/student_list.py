"""Latency of the list of 100,000 students: pages, searches, filters.

    python -m bench.student_list [--students 100000] [--times 15] [--postgresql]

Real gunicorn and real HTTP; the times are those of whole requests.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import case, update

from bench.arguments import positive_int
from bench.report import row
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.paging import PER_PAGE
from myukm.domain.roster import importing
from myukm.models import Siswa
from tests.faults.campus import Campus
from tests.support.postgresql import PostgreSQL


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=100_000)
    parser.add_argument("--times", type=positive_int, default=15)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pg").mkdir()
        server = PostgreSQL(folder / "pg") if options.postgresql else None
        campus = Campus(folder, server, students=options.students)
        try:
            campus.worker.kill()  # it would take processor time from the requests
            create_students(campus)
            session = campus.log_in("admin")
            for what, query in lists(options.students).items():
                taken = [timed(session, campus.url, query) for _ in range(options.times)]
                row(f"{what}, median", statistics.median(taken), "ms")
                row(f"{what}, max", max(taken), "ms")
        finally:
            campus.stop()
            if server:
                server.child.stop(5)


def lists(students: int) -> dict[str, dict[str, object]]:
    """Return what is measured, by name, as query parameters of the page."""
    return {
        "first page": {},
        "page 2": {"page": 2},
        "the page in the middle": {"page": students // PER_PAGE // 2},
        "last page": {"page": 10**6},
        "search, many": {"q": "a"},
        "search, a name": {"q": "ahmad"},
        "search, a name, last page": {"q": "ahmad", "page": 10**6},
        "search, two words": {"q": "siti putri"},
        "search, an id": {"q": "100123"},
        "search, nobody": {"q": "xyzzy"},
        "filter": {"filter": "belum"},
        "filter, last page": {"filter": "lunas", "page": 10**6},
        "filter and search": {"filter": "belum", "q": "nur"},
        "filter, few": {"filter": "tidak_cocok"},
        "filter, nobody": {"filter": "nonaktif"},
        "two filters": {"filter": ["belum", "aktif"]},
    }


def create_students(campus: Campus) -> None:
    """Import the API's students and fill in what a sync would have stored: every third one owes
    150,000. There are no bills."""
    owes = Siswa.id % 3 == 0
    synced = {
        "saldo": 0,
        "tunggakan": case((owes, 150_000), else_=0),
        "lebih_bayar": 0,
        "lunas": case((owes, False), else_=True),
        "status": case((owes, "tunggakan"), else_="lunas"),
        "tidak_cocok": case((Siswa.id % 5000 == 0, True), else_=False),
        "synced_at": utcnow(),
    }
    with campus.app.app_context():
        importing.from_api()
        with transaction() as session:
            session.execute(update(Siswa).values(synced))


def timed(session: requests.Session, url: str, query: dict[str, Any]) -> float:
    """Request the list; return the milliseconds it took."""
    began = time.perf_counter()
    answer = session.get(f"{url}/admin/siswa", params=query, timeout=30)
    assert answer.status_code == 200, answer.status_code
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
