"""Time to clear, and to retry, many failed jobs.

    python -m bench.clear_failed [--jobs 100000]

Meanwhile another thread pings Valkey every millisecond: its longest ping shows how long other
clients wait.
"""

import argparse
import secrets
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path
from zlib import compress

import redis
from flask import Flask
from rq.job import Job
from rq.results import Result

import config
from bench.arguments import positive_int
from bench.report import row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.queues.failures import actions, groups, index, keys

QUEUE = "default"
FRAMES = "Traceback\n" + "  File x, line 1, in y\n" * 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=positive_int, default=100_000)
    count = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as folder, start_valkey(Path(folder)) as server:
        env = {
            "REDIS_URL": server.url,
            "DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "SECRET_KEY": secrets.token_hex(32),
        }
        app = create_app(config.load(env))
        client = redis.Redis.from_url(server.url)
        for action in (actions.RETRY, actions.DISCARD):
            client.flushall()
            fail_many(client, count)
            with app.app_context():
                _measure(app, client, action)


def _measure(app: Flask, client: redis.Redis, action: str) -> None:
    begun = time.perf_counter()
    index.refresh_all(QUEUE)
    indexed = time.perf_counter() - begun
    kinds, stopped = len(groups.of_queue(QUEUE)), threading.Event()
    waits = [0.0]
    pinger = threading.Thread(target=_ping, args=(client, stopped, waits), daemon=True)
    pinger.start()
    begun = time.perf_counter()
    work = actions.begin(QUEUE, action)
    while actions.go_on(QUEUE):
        pass
    seconds = time.perf_counter() - begun
    stopped.set()
    pinger.join()
    row(f"index {work.total:,} in {kinds} kinds", indexed, "s")
    row(f"{action} {work.total:,}", seconds, "s")
    row("longest ping of another client", max(waits) * 1000, "ms")


def _ping(client: redis.Redis, stopped: threading.Event, waits: list[float]) -> None:
    while not stopped.wait(0.001):
        begun = time.perf_counter()
        client.ping()
        waits.append(time.perf_counter() - begun)


def fail_many(client: redis.Redis, count: int) -> None:
    """Store `count` failed jobs of ten kinds, each with a traceback of usual length."""
    pipe = client.pipeline(transaction=False)
    for number in range(count):
        trace = f"{FRAMES}Error_{'abcdefghij'[number % 10]}: 'S{number}'"
        packed = b64encode(compress(trace.encode())).decode()
        job_id = f"bench-{number}"
        pipe.hset(Job.key_for(job_id), mapping={"description": "ping()", "status": "failed"})
        pipe.xadd(Result.get_key(job_id), {"type": "2", "exc_string": packed})
        pipe.zadd(keys.registry(QUEUE), {job_id: time.time() + 1e6})
        if number % 5_000 == 0:
            pipe.execute()
    pipe.execute()


if __name__ == "__main__":
    main()
