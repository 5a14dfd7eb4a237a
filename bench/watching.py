"""Cost of watching: the idle program, compared with fifty open pages of the queues and the doctor.

    python -m bench.watching [--waiting 10000] [--failed 100000] [--pages 50] [--seconds 30]

Real gunicorn (two processes), `worker.py`, Valkey and SQLite. The waiting jobs are in a queue
without a worker. Prints Valkey's commands per second and the CPU time of web, workers and Valkey
(per cent of one core), first without open pages, then with the pages open while an outside monitor
requests `/readyz` and `/metrics` (which runs the doctor) every ten seconds. `--commands` prints the
most frequent commands of that second phase.
"""

import argparse
import re
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psutil
import redis
from rq import Queue
from rq.job import Job

from bench.arguments import positive_float, positive_int
from bench.clear_failed import fail_many
from bench.page_lag import add_treasurers, open_pages
from bench.report import cpu_seconds, row
from myukm.queues.failures import index
from tests.faults.campus import Campus
from tests.support.workers import wait_serving

PING = "myukm.jobs.upkeep.ping"
SETTLE_SECONDS, DOCTOR_SECONDS = 15.0, 10.0


class Cost(NamedTuple):
    """Valkey's commands per second; CPU time in per cent of one core."""

    commands: float
    cpu: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--failed", type=int, default=100_000)
    parser.add_argument("--pages", type=positive_int, default=50)
    parser.add_argument("--seconds", type=positive_float, default=30)
    parser.add_argument("--commands", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        campus = Campus(Path(name))
        try:
            fill(campus, options.waiting, options.failed)
            time.sleep(SETTLE_SECONDS)
            idle = measure(campus, options.seconds)
            add_treasurers(campus)
            with open_pages(campus, options.pages):
                stopped = threading.Event()
                threading.Thread(target=ask_doctor, args=(campus, stopped), daemon=True).start()
                time.sleep(SETTLE_SECONDS)
                watched = measure(campus, options.seconds)
                if options.commands:
                    print_most_frequent(campus, options.seconds)
                stopped.set()
        finally:
            campus.stop()
    report(options.pages, idle, watched)


def report(pages: int, idle: Cost, watched: Cost) -> None:
    """Print both costs and their difference."""
    row("commands per second, no open page", idle.commands, "")
    row(f"commands per second, {pages} pages and the doctor", watched.commands, "")
    row("CPU, no open page", idle.cpu, "%")
    row(f"CPU, {pages} pages and the doctor", watched.cpu, "%")
    row("CPU that the pages and the doctor add", watched.cpu - idle.cpu, "%")


def fill(campus: Campus, waiting: int, failed: int) -> None:
    """Stop the worker of `default`, and store waiting and failed jobs of that queue."""
    campus.worker.kill()
    campus.start_worker("python", "worker.py", "high", "sync-pembayaran")
    wait_serving(campus.app, ["high", "sync-pembayaran"])
    client = redis.Redis.from_url(campus.valkey.url)
    fail_many(client, failed)
    job = Queue("default", connection=client).create_job(PING)
    fields = {**job.to_dict(), "status": "queued"}
    with client.pipeline(transaction=False) as pipe:
        for number in range(waiting):
            pipe.hset(Job.key_for(f"waiting-{number}"), mapping=fields)
            pipe.rpush("rq:queue:default", f"waiting-{number}")
        pipe.execute()
    with campus.app.app_context():
        index.refresh_all("default")


def measure(campus: Campus, seconds: float) -> Cost:
    """Return the program's cost, measured over `seconds`."""
    client = redis.Redis.from_url(campus.valkey.url)
    before, began = (_commands(client), _cpu(campus)), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    commands, cpu = _commands(client) - before[0], _cpu(campus) - before[1]
    client.close()
    return Cost(commands / took, 100 * cpu / took)


def _commands(client: redis.Redis) -> int:
    return int(client.info("stats")["total_commands_processed"])


def _cpu(campus: Campus) -> float:
    """Return the seconds of CPU that web, workers and Valkey have used."""
    every = [*campus.children(campus.web), *campus.children(campus.worker)]
    return sum(cpu_seconds(each) for each in [*every, psutil.Process(campus.valkey.pid)])


def ask_doctor(campus: Campus, stopped: threading.Event) -> None:
    """Request the health pages as an outside monitor does."""
    session = campus.log_in("admin")
    while not stopped.wait(DOCTOR_SECONDS):
        session.get(f"{campus.url}/readyz", timeout=10)
        session.get(f"{campus.url}/metrics", timeout=10)


def print_most_frequent(campus: Campus, seconds: float) -> None:
    """Print the most frequent Valkey commands; ids and numbers in keys are shown as N."""
    found: Counter[str] = Counter()
    client = redis.Redis.from_url(campus.valkey.url)
    with client.monitor() as monitor:  # type: ignore[no-untyped-call]
        until = time.monotonic() + seconds
        for entry in monitor.listen():
            words = entry["command"].split()[:2]
            found[re.sub(r"[0-9a-f]{8,}[-0-9a-f]*|\d+", "N", " ".join(words))] += 1
            if time.monotonic() > until:
                break
    for command, count in found.most_common(40):
        row(command[:60], count / seconds, "/s")


if __name__ == "__main__":
    main()
