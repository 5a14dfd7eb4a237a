"""Writing the xlsx file of all students: seconds, memory, and how long a page takes meanwhile.

    python -m bench.xlsx [--students 75000] [--postgresql]

Another process writes the file, as a worker does. Meanwhile a page is requested up to ten times a
second, in this process without a web server. Prints seconds, CPU seconds (less dependent on other
load of the machine), resident memory, and the p95 of the page, before and meanwhile.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from flask.testing import FlaskClient
from sqlalchemy import text

import config
from bench.arguments import positive_int
from bench.report import cpu_seconds, row, tail_row
from bench.tunggakan import campus, fill, log_in, response_ms
from myukm import create_app
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing_files import write_xlsx
from myukm.extensions import db

PAGE = "/profile"
PAUSE_SECONDS = 0.1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=75_000)  # 1.5 million bills
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--write", metavar="DATABASE_URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write)
        return
    with campus(lambda: fill(options.students), postgresql=options.postgresql) as app:
        with app.app_context():
            row("bills", db.session.scalar(text("SELECT count(*) FROM tagihan")) or 0, "")
        client = log_in(app)
        alone = [response_ms(client, PAGE, "text/html") for _ in range(20)]
        tail_row("a page, before", alone[1:], 95, "ms")
        watch(app.config["DATABASE_URL"], client)


def watch(url: str, client: FlaskClient) -> None:
    """Let a process write the file; sample its memory and request pages meanwhile."""
    command = [sys.executable, "-m", "bench.xlsx", "--write", url]
    with subprocess.Popen(command) as child:
        process, waits, most, cpu = psutil.Process(child.pid), [], 0, 0.0
        started = time.perf_counter()
        while child.poll() is None:
            waits.append(response_ms(client, PAGE, "text/html"))
            if process.status() != psutil.STATUS_ZOMBIE:
                most = max(most, process.memory_info().rss)
                cpu = cpu_seconds(process)
            time.sleep(PAUSE_SECONDS)
    assert child.returncode == 0, "the writer failed"
    row("the file, with the start of a process", time.perf_counter() - started, "s")
    row("the file, CPU", cpu, "s")
    row("resident memory, max", most / 1e6, "MB")
    tail_row("a page meanwhile", waits, 95, "ms")


def write(url: str) -> None:
    """Write the file of all students."""
    app = create_app(config.load({"DATABASE_URL": url, "SECRET_KEY": "-" * 32}))
    with app.app_context(), tempfile.TemporaryFile() as file:
        write_xlsx(Filters(), file)
        row("size", Path(f"/proc/self/fd/{file.fileno()}").stat().st_size / 1e6, "MB")


if __name__ == "__main__":
    main()
