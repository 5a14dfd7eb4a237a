"""An outage of the payment API during a run: failed students, requests sent meanwhile, time until
the run continues.

    python -m bench.api_outage [--seconds 60] [--kind reset] [--workers 2]

Real workers and Valkey. The simulator counts the requests per second.
"""

import argparse
import time
from typing import Any

from flask import Flask

from bench.arguments import positive_float, positive_int
from bench.report import row
from bench.sync import environment
from myukm.domain.actor import Actor
from myukm.domain.sync import commands, progress
from tests.support.programs import Program
from tests.support.waiting import wait_until

PROCESSED_BEFORE_OUTAGE = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=positive_float, default=60)
    parser.add_argument("--kind", default="reset", choices=("reset", "500", "503", "timeout"))
    parser.add_argument("--workers", type=positive_int, default=2)
    options = parser.parse_args()
    options.students, options.latency, options.concurrency, options.postgresql = 6000, 50, 32, False
    with environment(options) as (app, env, folder):
        env["PEMBAYARAN_API_TIMEOUT"] = "5"
        workers = [
            Program(folder / f"worker-{n}.log", env, "python", "worker.py", "sync-pembayaran")
            for n in range(options.workers)
        ]
        try:
            run_through_outage(app, options)
        finally:
            for worker in workers:
                worker.kill()


def run_through_outage(app: Flask, options: argparse.Namespace) -> None:
    """Start a run, make the API fail and recover, wait for the end."""
    with app.app_context():
        commands.start(Actor("bench"))
    wait_until(
        lambda: current(app)["processed"] >= PROCESSED_BEFORE_OUTAGE, 60, "the run has begun"
    )
    options.api.set(outage=options.kind)
    wait_until(lambda: current(app)["reason_code"] == "api_down", 60, "the breaker is open")
    options.api.reset()  # the request counters; the outage stays
    time.sleep(options.seconds)
    received = options.api.state()
    before = current(app)
    options.api.set(outage=None)
    recovered = time.perf_counter()
    wait_until(lambda: current(app)["processed"] > before["processed"], 60, "the run continues")
    row("requests per second in the outage, max", received["per_second_max"], "")
    row("requests in the outage", received["requests"], "")
    row("run continues after", time.perf_counter() - recovered, "s")
    wait_until(lambda: current(app)["status"] == "completed", 120, "the run ends")
    row("students failed", current(app)["failed"], f"of {current(app)['total']}")


def current(app: Flask) -> dict[str, Any]:
    """Return the progress object."""
    with app.app_context():
        return progress.current()


if __name__ == "__main__":
    main()
