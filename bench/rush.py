"""20 messages a second into one UKM, with a database that is 5 ms away.

    python -m bench.rush [--seconds 60] [--milliseconds 5] [--rate 20]

Two web processes and a worker on PostgreSQL. A client that is answered 503 posts again after
`Retry-After` with the same `client_id`, as the page does.
"""

import argparse
import asyncio
import secrets
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import psycopg

import config
from bench.arguments import positive_float, positive_int
from bench.chat import listens
from bench.fanout import populate
from bench.far_database import far
from bench.report import percentile, row, tail_row
from devtools.valkey import start_valkey
from myukm import create_app
from tests.support.postgresql import PostgreSQL
from tests.support.programs import Program, WebServer
from tests.support.servers import open_folder
from tests.support.waiting import wait_until

ACCOUNTS, WEB_PROCESSES, TIMEOUT_SECONDS = 200, 2, 60.0
COUNT_LOCK_WAITS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=positive_int, default=60)
    parser.add_argument("--milliseconds", type=float, default=5.0, help="added to each round trip")
    parser.add_argument("--rate", type=positive_float, default=20.0, help="messages a second")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(PostgreSQL(stack.enter_context(open_folder())))
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        near = server.fresh_database()
        env = {"REDIS_URL": valkey.url, "SECRET_KEY": secrets.token_urlsafe(32)}
        cookies = populate(create_app(config.load({**env, "DATABASE_URL": near})), ACCOUNTS)
        port = stack.enter_context(far(server.port, options.milliseconds / 1000))
        env["DATABASE_URL"] = near.replace(f":{server.port}/", f":{port}/")
        web = WebServer(folder / "web.log", env, workers=WEB_PROCESSES)
        stack.callback(web.kill)
        worker = Program(folder / "worker.log", env, "python", "worker.py", "high")
        stack.callback(worker.kill)
        wait_until(lambda: listens(valkey.url), 30, "the worker listens")
        sessions = stack.enter_context(LockWaits(near))
        rush = Rush(web.url, cookies)
        asyncio.run(rush.run(options.rate, options.seconds))
        show(rush, sessions, near)


class LockWaits:
    """Counts ten times a second the database sessions that wait for a lock."""

    def __init__(self, url: str) -> None:
        self.max_sessions = 0
        self._url, self._ended = url, threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def _poll(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._ended.wait(0.1):
                (count,) = connection.execute(COUNT_LOCK_WAITS).fetchone() or (0,)
                self.max_sessions = max(self.max_sessions, count)

    def __enter__(self) -> "LockWaits":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


class Rush:
    """Posts messages at a fixed rate, whether or not earlier ones were answered."""

    def __init__(self, url: str, cookies: list[str]) -> None:
        self._url, self._cookies = url, cookies
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self.accepted_in_time = self._seconds = 0
        self._end = 0.0

    @property
    def per_second(self) -> float:
        """Messages accepted per second, until posting ended."""
        return self.accepted_in_time / self._seconds

    async def run(self, rate: float, seconds: int) -> None:
        """Post for `seconds`, and wait for the last answers."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            begin, posts = time.perf_counter(), []
            self._end, self._seconds = begin + seconds, seconds
            for n in range(round(rate * seconds)):
                posts.append(asyncio.create_task(self._say(session, n)))
                await asyncio.sleep(max(0.0, begin + (n + 1) / rate - time.perf_counter()))
            await asyncio.gather(*posts)

    async def _say(self, session: aiohttp.ClientSession, n: int) -> None:
        began, status = time.perf_counter(), 0
        headers = {"Cookie": f"myukm={self._cookies[n % len(self._cookies)]}"}
        while status not in (200, 201) and time.perf_counter() - began < TIMEOUT_SECONDS:
            body = {"message": f"rush {n}", "client_id": f"c{n}"}
            url = f"{self._url}/ukm/BENCH/messages"
            async with session.post(url, json=body, headers=headers) as answer:
                status = answer.status
                self.statuses[status] += 1
                if cookie := answer.cookies.get("myukm"):  # renewed: a browser replaces its cookie
                    headers = {"Cookie": f"myukm={cookie.value}"}
                    self._cookies[n % len(self._cookies)] = cookie.value
                if status == 503:
                    await asyncio.sleep(float(answer.headers["Retry-After"]))
        self.times.append(time.perf_counter() - began)
        self.accepted_in_time += status in (200, 201) and time.perf_counter() <= self._end


def show(rush: Rush, sessions: LockWaits, url: str) -> None:
    """Wait until every message is published, and print the figures."""
    unpublished = "SELECT count(*) FROM chat_message WHERE published_at IS NULL"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(unpublished).fetchone() == (0,), 30, "all published")
        (stored,) = connection.execute("SELECT count(*) FROM chat_message").fetchone() or (0,)
    row("accepted while posting", rush.per_second, "messages/s")
    row("stored", stored, f"of {len(rush.times)}")
    row("until accepted, median", percentile(rush.times, 50) * 1000, "ms")
    tail_row("until accepted", rush.times, 99, "ms", scale=1000)
    row("until accepted, longest", max(rush.times) * 1000, "ms")
    row("sessions that waited for a lock, max", sessions.max_sessions, "")
    row("answers 503", rush.statuses[503], "")


if __name__ == "__main__":
    main()
