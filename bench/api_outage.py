"""An outage of the payment API during a run: failed students, requests sent meanwhile, time until
the run continues.

    python -m bench.api_outage [--seconds 60] [--kind reset] [--workers 2]

Real workers and Valkey. The simulator counts the requests per second.
"""

import argparse
import time
from typing import Any

from flask import Flask

from bench.report import row
from bench.sync import parts
from myukm.domain.actor import Actor
from myukm.domain.sync import commands, progress
from tests.support.programs import Program
from tests.support.waiting import wait_until

BEFORE = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind", default="reset", choices=("reset", "500", "503", "timeout"))
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    asked.students, asked.latency, asked.concurrency, asked.postgresql = 6000, 50, 32, False
    with parts(asked) as (app, env, folder):
        env["PEMBAYARAN_API_TIMEOUT"] = "5"
        workers = [
            Program(folder / f"worker-{n}.log", env, "python", "worker.py", "sync-pembayaran")
            for n in range(asked.workers)
        ]
        try:
            play(app, asked)
        finally:
            for worker in workers:
                worker.kill()


def play(app: Flask, asked: argparse.Namespace) -> None:
    """Start a run, make the API fail and recover, wait for the end."""
    with app.app_context():
        commands.start(Actor("bench"))
    wait_until(lambda: now(app)["processed"] >= BEFORE, 60, "the run is under way")
    asked.api.set(outage=asked.kind)
    wait_until(lambda: now(app)["reason_code"] == "api_down", 60, "the breaker is open")
    asked.api.reset()
    time.sleep(asked.seconds)
    hits = asked.api.state()["per_second"]
    stood = now(app)
    asked.api.set(outage=None)
    back = time.perf_counter()
    wait_until(lambda: now(app)["processed"] > stood["processed"], 60, "it goes on")
    row("requests per second meanwhile, most", max(hits), "")
    row("requests meanwhile", sum(hits), "")
    row("goes on after", time.perf_counter() - back, "s")
    wait_until(lambda: now(app)["status"] == "completed", 120, "the run ends")
    row("students failed", now(app)["failed"], f"of {now(app)['total']}")


def now(app: Flask) -> dict[str, Any]:
    """Return the progress object."""
    with app.app_context():
        return progress.current()


if __name__ == "__main__":
    main()
