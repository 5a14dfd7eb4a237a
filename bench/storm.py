"""All clients of a web process reconnect at once, because it was killed.

    python -m bench.storm [--clients 5000] [--each 2] [--messages 10] [--post] [--core 1]
                          [--postgresql]

Real gunicorn (one worker), real Valkey, real HTTP streams of `/stream`, all members of one UKM. The
clients do what browsers do: they wait for as long as `retry:` says and resume from their cursor.
Meanwhile events are published; each client must receive every one exactly once. With `--post`
messages are posted as well. With `--core 0.2` the web process is stopped for four fifths of the
time.
"""

import argparse
import asyncio
import json
import random
import resource
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from flask import Flask

import config
from bench.arguments import positive_float, positive_int
from bench.fanout import populate
from bench.report import cpu_seconds, percentile, row, tail_row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.live import event_log
from tests.support.postgresql import PostgreSQL
from tests.support.programs import WebServer
from tests.support.servers import open_folder
from tests.support.waiting import wait_until

CONNECTING, TIMEOUT_SECONDS, FIRST_RETRY_MS = 100, 180, 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=positive_int, default=5000)
    parser.add_argument("--each", type=positive_int, default=2, help="streams of each account")
    parser.add_argument("--messages", type=int, default=10, help="published meanwhile, 2 a second")
    parser.add_argument("--post", action="store_true", help="post a message now and then")
    parser.add_argument(
        "--core", type=positive_float, default=1, help="share of a core for the process"
    )
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        folder = str(stack.enter_context(open_folder()))
        valkey = stack.enter_context(start_valkey(Path(folder) / "valkey"))
        url = f"sqlite:///{folder}/bench.db"
        if options.postgresql:
            server_folder = stack.enter_context(open_folder())
            url = stack.enter_context(PostgreSQL(server_folder)).fresh_database()
        env = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "SECRET_KEY": secrets.token_urlsafe(32),
        }
        app = create_app(config.load(env))
        cookies = populate(app, -(-options.clients // options.each))
        server = WebServer(Path(folder) / "web.log", env)
        try:
            asyncio.run(Storm(app, server, cookies, options).run())
        except AssertionError:
            print(server.output()[-3000:])
            raise
        finally:
            server.kill()


class Client(asyncio.Protocol):
    """One stream, which reconnects whenever it ends. `storm` counts open streams and refusals."""

    def __init__(self, storm: "Storm", cookie: str) -> None:
        self.storm, self.cookie = storm, cookie
        self.cursor: int | None = None
        self.retry_ms = FIRST_RETRY_MS
        self.live = False
        self.received: Counter[int] = Counter()
        self.transport: asyncio.Transport | None = None
        self.rest = b""

    async def open(self) -> None:
        """Connect; if the connection is refused, retry later."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, "127.0.0.1", self.storm.port)
        except OSError:
            self.reconnect_later()

    def reconnect_later(self) -> None:
        """Reconnect after the server's `retry:` or `Retry-After`."""
        loop = asyncio.get_running_loop()
        loop.call_later(self.retry_ms / 1000, lambda: self.storm.start(self.open()))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        query = "" if self.cursor is None else f"?cursor={self.cursor}"
        head = f"GET /stream{query} HTTP/1.1\r\nHost: x\r\nCookie: myukm={self.cookie}\r\n\r\n"
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.read_line(line)

    def read_line(self, line: bytes) -> None:
        """Read one line of the answer."""
        if line.startswith(b'{"error"'):
            self.storm.refused[json.loads(line)["error"]["code"]] += 1
            if self.transport:
                self.transport.close()
        elif line.lower().startswith(b"retry-after: "):
            self.retry_ms = int(1000 * float(line[13:]) * random.uniform(1, 2))
        elif line.startswith(b"event: heartbeat") and not self.live:
            self.live = True
            self.storm.opened += 1
        elif line.startswith(b"event: reset"):
            self.storm.refused["reset"] += 1
        elif line.startswith(b"retry: "):
            self.retry_ms = int(line[7:])
        elif line.startswith(b"id: "):
            self.cursor = int(line[4:])
        elif line.startswith(b'data: {"number"'):
            self.received[json.loads(line[6:])["number"]] += 1

    def connection_lost(self, _error: Exception | None) -> None:
        self.storm.opened -= self.live
        self.live, self.rest = False, b""
        if not self.storm.over:
            self.reconnect_later()


class Storm:
    """Opens all streams, kills the web process, and waits until all are open again."""

    def __init__(
        self, app: Flask, server: WebServer, cookies: list[str], options: argparse.Namespace
    ) -> None:
        self.app, self.options = app, options
        self.port = int(server.url.rsplit(":", 1)[1])
        self.arbiter = min(
            psutil.Process(server.child.pid).children(recursive=True), key=lambda each: each.pid
        )
        self.clients = [Client(self, cookies[n // options.each]) for n in range(options.clients)]
        self.opened, self.over = 0, False
        self.refused: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task and keep it alive."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self) -> None:
        """Measure and print."""
        row("clients", len(self.clients), "")
        worker = self.worker()
        await self.open_streams(self.clients[:20])
        before, cpu = worker.memory_info().rss, cpu_seconds(worker)
        await self.open_streams(self.clients[20:])
        opened = len(self.clients) - 20
        row("first opening: CPU per stream", (cpu_seconds(worker) - cpu) / opened * 1000, "ms")
        row("resident per stream", (worker.memory_info().rss - before) / opened / 1024, "KiB")
        await asyncio.to_thread(self.commit_event, 0)
        await asyncio.sleep(1)
        self.refused.clear()
        await self.storm(worker)

    async def open_streams(self, clients: list[Client]) -> None:
        """Open streams, `CONNECTING` at a time, and wait until they are open."""
        before = self.opened
        for first in range(0, len(clients), CONNECTING):
            for client in clients[first : first + CONNECTING]:
                self.start(client.open())
            await self.wait_open(before + min(first + CONNECTING, len(clients)))

    async def wait_open(self, opened: int) -> None:
        """Wait until `opened` streams are open."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self.opened < opened:
            assert time.monotonic() < deadline, f"{self.opened} of {opened} are open"
            await asyncio.sleep(0.02)

    async def storm(self, killed: psutil.Process) -> None:
        """Kill the web process; print when all streams are open again, CPU, and refusals."""
        begun = time.monotonic()
        killed.kill()
        publishing = asyncio.create_task(self.publish_events())
        posts = asyncio.create_task(self.post())
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while self.opened:
                await asyncio.sleep(0.01)
        await self.wait_open(1)
        worker, first = self.worker(), time.monotonic()
        cpu, counted = cpu_seconds(worker), self.opened
        times: list[float] = []
        with limited(worker, self.options.core):
            while self.opened < len(self.clients):
                assert time.monotonic() < begun + TIMEOUT_SECONDS, (
                    f"{self.opened} open: {self.refused}"
                )
                times += [time.monotonic() - begun] * (self.opened - len(times))
                await asyncio.sleep(0.02)
        row("first stream is back after", first - begun, "s")
        row("half of them are back after", percentile(times, 50), "s")
        row("all are back after", time.monotonic() - begun, "s")
        returned = len(self.clients) - counted
        row("CPU per return", (cpu_seconds(worker) - cpu) / returned * 1000, "ms")
        row("refused or reset", self.refused.total(), str(dict(self.refused)))
        self.over = True
        if posted := await posts:
            tail_row("POST of a message meanwhile", posted, 99, "s")
        await publishing
        await asyncio.sleep(3)
        expected = Counter(range(self.options.messages + 1))
        wrong = [client for client in self.clients if client.received != expected]
        row("clients that received each event once", len(self.clients) - len(wrong), "")

    async def post(self) -> list[float]:
        """Post messages until all streams are back; return the seconds that each took."""
        times = []
        headers = {"Cookie": f"myukm={self.clients[0].cookie}"}
        url = f"http://127.0.0.1:{self.port}/ukm/BENCH/messages"
        async with aiohttp.ClientSession(headers=headers) as session:
            while self.options.post and not self.over:
                began = time.monotonic()
                sent = {"message": "x" * 100, "client_id": secrets.token_hex(8)}
                try:
                    async with session.post(url, json=sent) as answer:
                        assert answer.status == 201, await answer.text()
                        times.append(time.monotonic() - began)
                except aiohttp.ClientError:  # the web process was killed during the POST
                    pass
                await asyncio.sleep(0.7)
        return times

    async def publish_events(self) -> None:
        """Publish events, two a second, while the streams reconnect."""
        for number in range(1, self.options.messages + 1):
            await asyncio.to_thread(self.commit_event, number)
            await asyncio.sleep(0.5)

    def commit_event(self, number: int) -> None:
        """Commit one event."""
        with self.app.app_context(), transaction():
            sent = {"number": number, "message": "x" * 200}
            event_log.append("ukm:BENCH", "chat.message", sent)

    def worker(self) -> psutil.Process:
        """Return gunicorn's one worker."""
        children = wait_until(self.arbiter.children, TIMEOUT_SECONDS, "gunicorn has a worker")
        return max(children, key=lambda each: each.pid)


@contextmanager
def limited(process: psutil.Process, share: float) -> Iterator[None]:
    """Within the block, let a process run for only `share` (0 to 1) of each tenth of a second."""
    over = threading.Event()

    def stop_and_go() -> None:
        while not over.wait(share / 10):
            process.send_signal(signal.SIGSTOP)
            time.sleep((1 - share) / 10)
            process.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=stop_and_go)
    if share < 1:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if share < 1:
            thread.join()


if __name__ == "__main__":
    main()
