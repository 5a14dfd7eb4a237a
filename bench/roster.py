"""Import of a large roster by page: time and memory of preview, application and undo.

    python -m bench.roster [--students 100000] [--xlsx] [--postgresql]

Real gunicorn, `worker.py` and Valkey, real HTTP. Meanwhile a page is requested up to ten times a
second. Prints for each step the seconds, the CPU seconds of all workers (less dependent on other
load of the machine), the resident memory of the largest worker, and p95 and maximum of that page's
time. Memory and page are also measured before the first step.
"""

import argparse
import csv
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.arguments import positive_int
from bench.report import cpu_with_ended_children, row, tail_row
from devtools.sample.students import students
from myukm.domain.xlsx_output import Book, Column
from myukm.i18n import campus_timezone
from tests.faults.campus import Campus
from tests.support.postgresql import PostgreSQL

IMPORT, PAGE, PAUSE_SECONDS, MAX_SECONDS = "/admin/impor-siswa", "/profile", 0.1, 1800


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=100_000)
    parser.add_argument("--xlsx", action="store_true", help="instead of CSV")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pg").mkdir()
        server = PostgreSQL(folder / "pg") if options.postgresql else None
        campus = Campus(folder, server, students=1)
        try:
            measure(campus, *roster(campus, options.students, xlsx=options.xlsx))
        finally:
            campus.stop()
            if server:
                server.child.stop(5)


def roster(campus: Campus, count: int, *, xlsx: bool) -> tuple[str, bytes]:
    """Return the name and content of a file with `count` students."""
    rows = [{name: str(text or "") for name, text in one.items()} for one in students(count)]
    if not xlsx:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        return "roster.csv", text.getvalue().encode()
    file = io.BytesIO()
    with campus.app.app_context(), Book(file, campus_timezone()) as book:
        sheet = book.add("Siswa", [Column(name, 16) for name in rows[0]])
        for one in rows:
            sheet.write(tuple(one.values()))
    return "roster.xlsx", file.getvalue()


def measure(campus: Campus, name: str, content: bytes) -> None:
    """Upload, apply and undo; print what each step takes."""
    session, other = campus.log_in("bendahara"), campus.log_in("admin")
    row("size", len(content) / 1e6, "MB")
    alone = [page(campus, other) for _ in range(50)]
    alone = alone[5:]  # the first ones warm the page up
    tail_row("a page, without an import", alone, 95, "ms")
    before = memory(campus)
    row("a worker's resident memory before, max", before / 1e6, "MB")

    def upload() -> dict[str, Any]:
        sent = {"roster": (name, content)}
        whole = {"whole": "true"}  # students that the file does not name become inactive
        return post(campus, session, "", files=sent, data=whole)

    one = step(campus, "preview", other, session, upload, "ready")
    plan = {"plan": one["plan"], "accept": True}
    address = f"/{one['import_id']}"
    step(
        campus,
        "application",
        other,
        session,
        lambda: post(campus, session, f"{address}/apply", json=plan),
        "applied",
    )
    step(campus, "undo", other, session, lambda: post(campus, session, f"{address}/undo"), "undone")


def post(campus: Campus, session: requests.Session, path: str, **sent: Any) -> dict[str, Any]:
    """Post to a page of the import and return the JSON response."""
    url, headers = f"{campus.url}{IMPORT}{path}", {"Accept": "application/json"}
    answer = session.post(url, headers=headers, timeout=120, **sent)
    assert answer.ok, answer.text
    return dict(answer.json())


def step(
    campus: Campus,
    name: str,
    other: requests.Session,
    session: requests.Session,
    begin: Callable[[], dict[str, Any]],
    end: str,
) -> dict[str, Any]:
    """Call `begin`, request pages until the import has the status `end`, print figures; return the
    import's JSON."""
    started, cpu, waits, most = time.monotonic(), cpu_time(campus), list[float](), 0
    one = begin()
    while one["status"] != end:
        assert time.monotonic() - started < MAX_SECONDS, one
        waits += [page(campus, other) for _ in range(5)]
        most = max(most, memory(campus))
        one = dict(
            session.get(
                f"{campus.url}{IMPORT}/{one['import_id']}",
                headers={"Accept": "application/json"},
                timeout=60,
            ).json()
        )
        assert not one.get("error"), one
    row(name, time.monotonic() - started, "s")
    row(f"{name}, CPU", cpu_time(campus) - cpu, "s")
    row(f"{name}, a worker's memory, max", most / 1e6, "MB")
    tail_row(f"{name}, a page meanwhile", waits, 95, "ms")
    row(f"{name}, a page meanwhile, max", max(waits), "ms")
    return one


def page(campus: Campus, session: requests.Session) -> float:
    """Request a page after a pause; return the milliseconds it took."""
    time.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    assert session.get(f"{campus.url}{PAGE}", timeout=60).ok
    return (time.perf_counter() - started) * 1000


def memory(campus: Campus) -> int:
    """Return the resident bytes of the largest worker process."""
    return max(
        int(info.rss) for each in campus.children(campus.worker) if (info := memory_info(each))
    )


def memory_info(process: psutil.Process) -> Any:
    """Return the memory of a process, None if it has ended."""
    try:
        return process.memory_info()
    except psutil.NoSuchProcess:
        return None


def cpu_time(campus: Campus) -> float:
    """Return the CPU seconds of all workers, including ended ones."""
    return cpu_with_ended_children(campus.children(campus.worker))


if __name__ == "__main__":
    main()
