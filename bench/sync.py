"""Speed of the payment sync, compared with a script that only fetches and updates.

    python -m bench.sync [--students 6000] [--latency 50] [--concurrency 32] [--turns 3]
                         [--postgresql] [--plain] [--workers 1]

Both alternate against the same simulator and database. Before each turn all payments are deleted,
so that both write every student. Prints medians, and the medians of the turns' ratios.
"""

import argparse
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psutil
import requests
from flask import Flask
from sqlalchemy import delete, insert, update

import config
from bench.arguments import positive_float, positive_int
from bench.polling import states
from bench.report import cpu_with_ended_children, row
from devtools.simulator.client import Simulator
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.sync import commands
from myukm.extensions import db
from myukm.models import Siswa, SyncRun, Tagihan
from myukm.models.sync import WORKING, Status
from tests.support.postgresql import PostgreSQL
from tests.support.programs import Program

# Polling more often would take CPU time from the run.
POLL_SECONDS = 0.25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=6000)
    parser.add_argument(
        "--latency", type=positive_float, default=50, help="of the API, milliseconds"
    )
    parser.add_argument("--concurrency", type=positive_int, default=32, help="requests in flight")
    parser.add_argument("--turns", type=positive_int, default=3)
    parser.add_argument("--workers", type=positive_int, default=1)
    parser.add_argument("--plain", action="store_true", help="rq worker instead of worker.py")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with environment(options) as (app, env, folder):
        ours, bare = [], []
        command = ("rq", "worker") if options.plain else ("python", "worker.py")
        workers = [
            Program(folder / f"worker-{n}.log", env, *command, "sync-pembayaran")
            for n in range(options.workers)
        ]
        try:
            for turn in range(options.turns + 1):
                pair = (one_run(app, workers), one_script(app, env, options.concurrency))
                if turn:  # the first turn warms everything up
                    ours.append(pair[0])
                    bare.append(pair[1])
        finally:
            for worker in workers:
                worker.kill()
    report(options, ours, bare)


def report(
    options: argparse.Namespace, ours: list[dict[str, float]], bare: list[dict[str, float]]
) -> None:
    """Print medians and ratios."""
    limit = options.concurrency / options.latency * 1000
    speed = [options.students / turn["seconds"] for turn in ours]
    bare_speed = [options.students / turn["seconds"] for turn in bare]
    row("limit of the API, per worker", limit, "students/s")
    row("MyUKM", statistics.median(speed), "students/s")
    row("bare script", statistics.median(bare_speed), "students/s")
    pairs = list(zip(ours, bare, strict=True))
    row("speed, ratio", statistics.median(b["seconds"] / o["seconds"] for o, b in pairs), "x")
    row("CPU per student, MyUKM", per_student(ours, options.students), "ms")
    row("CPU per student, bare script", per_student(bare, options.students), "ms")
    row("CPU, ratio", statistics.median(o["cpu"] / b["cpu"] for o, b in pairs), "x")


def per_student(turns: list[dict[str, float]], students: int) -> float:
    """Return the median CPU milliseconds per student."""
    return statistics.median(turn["cpu"] for turn in turns) / students * 1000


@contextmanager
def environment(options: argparse.Namespace) -> Iterator[tuple[Flask, dict[str, str], Path]]:
    """Start database, Valkey and simulator, and import the students.

    Yields the app, its settings and a temporary folder. Sets `options.api` to the simulator, which
    bench/api_outage.py controls.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pg").mkdir()
        server = PostgreSQL(folder / "pg") if options.postgresql else None
        api = options.api = Simulator(students=options.students, latency_ms=str(options.latency))
        try:
            with start_valkey(folder / "valkey") as valkey:
                env = {
                    "DATABASE_URL": server.fresh_database()
                    if server
                    else f"sqlite:///{folder}/b.db",
                    "REDIS_URL": valkey.url,
                    "PEMBAYARAN_API_URL": api.url,
                    "PEMBAYARAN_API_CONCURRENCY": str(options.concurrency),
                    "SECRET_KEY": secrets.token_urlsafe(32),
                }
                app = create_app(config.load(env))
                prepare(app, api)
                yield app, env, folder
        finally:
            api.stop()
            if server:
                server.child.stop(5)


def prepare(app: Flask, api: Simulator) -> None:
    """Create the tables and the students."""
    import flask_migrate

    roster = requests.get(f"{api.url}/siswa", timeout=30).json()["data"]
    with app.app_context():
        flask_migrate.upgrade()
        with transaction() as session:
            session.execute(
                insert(Siswa), [{"idperson": s["idperson"], "nama": s["nama"]} for s in roster]
            )


def reset_payments(app: Flask) -> None:
    """Reset every student to the state after the import."""
    nothing = {"pembayaran": None, "saldo": None, "digest": None, "synced_at": None}
    with app.app_context(), transaction() as session:
        session.execute(delete(Tagihan))
        session.execute(update(Siswa).values(nothing))


def one_run(app: Flask, workers: list[Program]) -> dict[str, float]:
    """Do one run of the sync, from start to end; return its seconds and CPU seconds."""
    reset_payments(app)
    before, started = sum(map(cpu_of, workers)), utcnow()
    with app.app_context():
        run_id = commands.start(Actor("bench"))["run_id"]
    *_, (_processed, finished) = follow(app, run_id, POLL_SECONDS)
    assert finished
    seconds = (finished - started).total_seconds()
    return {"seconds": seconds, "cpu": sum(map(cpu_of, workers)) - before}


def follow(app: Flask, run_id: int, pause: float) -> Iterator[tuple[int, datetime | None]]:
    """Yield the number of processed students and None, every `pause` seconds, and at last with the
    time at which the run completed, as its row says.

    Raises SystemExit if the run stops for another reason, or no longer moves.
    """

    def read() -> tuple[int, datetime | None]:
        with app.app_context():
            run = db.session.get_one(SyncRun, run_id)
            if run.status not in (*WORKING, Status.COMPLETED):
                sys.exit(f"the run is {run.status}: {run.reason}")
            return run.success + run.failed, run.finished_at

    for state in states(read, pause, "the run"):
        yield state
        if state[1]:
            return


def cpu_of(program: Program) -> float:
    """Return the CPU seconds of a program's processes, including ended ones."""
    return cpu_with_ended_children(psutil.Process(program.child.pid).children(recursive=True))


def one_script(app: Flask, env: dict[str, str], concurrency: int) -> dict[str, float]:
    """Run the bare script once; return its seconds and CPU seconds."""
    reset_payments(app)
    argv = [sys.executable, "-m", "bench.bare_sync", "--api", env["PEMBAYARAN_API_URL"]]
    argv += ["--database", env["DATABASE_URL"], "--concurrency", str(concurrency)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
