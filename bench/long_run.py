"""Speed and memory over a long run: its last tenth compared with its first.

    python -m bench.long_run [--students 100000] [--latency 5] [--concurrency 32] [--postgresql]

One `worker.py`. A run over 6,000 students comes first, as the baseline for the memory of a lane (a
job that fetches students, in a fork of the worker). Memory is the process's USS, because the rest
is shared with its parent.
"""

import argparse
import bisect
import time

import psutil
from flask import Flask
from sqlalchemy import update

from bench.arguments import positive_float, positive_int
from bench.report import row
from bench.sync import environment, follow, reset_payments
from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.sync import commands
from myukm.models import Siswa
from tests.support.programs import Program

SHORT_RUN_STUDENTS, MIN_STUDENTS, POLL_SECONDS = 6000, 20_000, 0.1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=100_000)
    parser.add_argument(
        "--latency", type=positive_float, default=5, help="of the API, milliseconds"
    )
    parser.add_argument("--concurrency", type=positive_int, default=32)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    if options.students < MIN_STUDENTS:
        parser.error(f"--students: a tenth of fewer than {MIN_STUDENTS} is too short to measure")
    with environment(options) as (app, env, folder):
        worker = Program(folder / "worker.log", env, "python", "worker.py", "sync-pembayaran")
        try:
            short_memory = Run(app, worker, SHORT_RUN_STUDENTS).memory
            run = Run(app, worker, options.students)
        finally:
            worker.kill()
    row("students per second", options.students / run.samples[-1][0], "")
    row("speed of the last tenth / the first", run.speed(0.9, 1.0) / run.speed(0.0, 0.1), "x")
    row(f"memory of a lane, {SHORT_RUN_STUDENTS} students", short_memory / 2**20, "MiB")
    row(f"memory of a lane, {options.students} students", run.memory / 2**20, "MiB")
    row("memory, ratio", run.memory / short_memory, "x")


class Run:
    """One run over the first `students`, polled to its end.

    `samples` are pairs (seconds since the start, students processed), `memory` is the peak memory
    of a lane (bytes).
    """

    def __init__(self, app: Flask, worker: Program, students: int) -> None:
        self.samples: list[tuple[float, int]] = []
        self.memory = 0
        reset_payments(app)  # comparing with stored payments would take more memory
        with app.app_context(), transaction() as session:
            session.execute(update(Siswa).values(active=Siswa.id <= students))
        with app.app_context():
            run_id = commands.start(Actor("bench"))["run_id"]
        began = time.perf_counter()
        for processed, _finished in follow(app, run_id, POLL_SECONDS):
            self.samples.append((time.perf_counter() - began, processed))
            self.memory = max(self.memory, *map(own_memory, lanes(worker)), 0)

    def speed(self, start: float, end: float) -> float:
        """Return the students per second between two fractions (0 to 1) of the run."""
        total = self.samples[-1][1]
        done = [processed for _, processed in self.samples]
        first, last = (bisect.bisect_left(done, max(1, share * total)) for share in (start, end))
        (began, before), (ended, after) = self.samples[first], self.samples[last]
        return (after - before) / (ended - began)


def lanes(worker: Program) -> list[psutil.Process]:
    """Return the processes that run a job, as children of a queue's worker, which is a child of
    worker.py, which is a child of the test's reaper."""
    processes = [psutil.Process(worker.child.pid)]
    for _generation in range(3):
        processes = [child for process in processes for child in process.children()]
    return processes


def own_memory(process: psutil.Process) -> int:
    """Return the process's USS in bytes, 0 if it has just ended."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
