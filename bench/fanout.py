"""Delay of an event to many listeners of one web process, and CPU and memory per listener.

    python -m bench.fanout [--listeners 2000] [--rate 10] [--seconds 5] [--burst 100] [--rounds 3]

Real gunicorn (one worker), real Valkey, real HTTP streams of `/stream`, all members of one UKM.
Every event contains the time before its commit, from which a listener's delay is measured. A burst
is `--burst` events, published one after the other without a pause. The peer, nginx with nchan if it
is installed, gets as many listeners and the same texts; the rounds alternate between the two.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import insert

import config
from bench.arguments import positive_float, positive_int
from bench.nchan import Nchan
from bench.report import cpu_seconds, percentile, row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.live import event_log
from myukm.models import LoginSession, Membership, Ukm, User
from myukm.web.http.access import today
from tests.support.programs import WebServer

STREAMS_PER_ACCOUNT, WARM_UP_STREAMS = 10, 20
MAX_CONNECTING, OPEN_TIMEOUT_SECONDS = 50, 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--listeners", type=positive_int, default=2000)
    parser.add_argument("--rate", type=positive_float, default=10, help="events per second")
    parser.add_argument("--seconds", type=positive_float, default=5)
    parser.add_argument(
        "--burst", type=positive_int, default=100, help="events as fast as possible"
    )
    parser.add_argument("--rounds", type=positive_int, default=3)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        servers = [start_ours(stack, options)]
        if Nchan.is_installed():
            peer = stack.enter_context(Nchan())
            servers.append(MeasuredServer("nchan", peer.port, peer.process, peer.publish, options))
        else:
            print("no peer: apt install libnginx-mod-nchan")
        for server in servers:
            stack.callback(server.publisher.kill)
        asyncio.run(measure(servers, options))


def start_ours(stack: ExitStack, options: argparse.Namespace) -> "MeasuredServer":
    """Start our web server with members of one UKM."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    valkey = stack.enter_context(start_valkey(folder / "valkey"))
    env = {
        "DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "REDIS_URL": valkey.url,
        "SECRET_KEY": secrets.token_urlsafe(32),
    }
    app = create_app(config.load(env))
    cookies = populate(app, -(-(options.listeners + WARM_UP_STREAMS) // STREAMS_PER_ACCOUNT))
    server = WebServer(folder / "web.log", env)
    stack.callback(server.kill)
    tree = psutil.Process(server.child.pid).children(recursive=True)
    worker = max(tree, key=lambda each: each.pid)
    port = int(server.url.rsplit(":", 1)[1])
    return MeasuredServer("ours", port, worker, partial(commit_event, app), options, cookies)


def populate(app: Flask, accounts: int, code: str = "BENCH") -> list[str]:
    """Create members of one UKM and return a session cookie of each."""
    import flask_migrate

    with app.app_context():
        flask_migrate.upgrade()
        with transaction() as session:
            ukm = Ukm(code=code, join_code=code, name=code)
            session.add(ukm)
            session.flush()
            people = [
                {
                    "nim": f"{code}{n}",
                    "name": f"Bench{n} {code}",
                    "role": "anggota",
                    "password_hash": "-",
                }
                for n in range(accounts)
            ]
            ids = session.scalars(insert(User).returning(User.id), people).all()
            session.execute(insert(Membership), [{"ukm_id": ukm.id, "user_id": i} for i in ids])
            tokens = [secrets.token_hex(16) for _ in ids]
            logins = [
                {"token_hash": LoginSession.digest(token), "user_id": i}
                for token, i in zip(tokens, ids, strict=True)
            ]
            session.execute(insert(LoginSession), logins)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer
    return [
        str(signer.dumps({"_user_id": token, "_fresh": True, "day": today()})) for token in tokens
    ]


class Stream(asyncio.Protocol):
    """One stream of a server."""

    def __init__(self, server: "MeasuredServer", cookie: str) -> None:
        self.server, self.cookie = server, cookie
        self.open, self.rest = False, b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        head = "GET /stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
        transport.write(f"{head}Cookie: myukm={self.cookie}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if not self.open:
                self.open = line.startswith(b"HTTP/1.1 200")
                self.server.opened += self.open
                self.server.refusal = self.server.refusal or (b"" if self.open else line)
            elif line.startswith(b'data: {"sent"'):
                self.server.record_delivery(json.loads(line[6:])["sent"])


class MeasuredServer:
    """Opens the listeners of one server, calls `publish(text)`, and measures the `process`."""

    def __init__(
        self,
        name: str,
        port: int,
        process: psutil.Process,
        publish: Callable[[str], None],
        options: argparse.Namespace,
        cookies: Sequence[str] = (),
    ) -> None:
        self.name, self.port, self.process, self.options = name, port, process, options
        self.cookies = cookies
        self.opened, self.refusal = 0, b""
        self.delays: list[float] = []
        self.streams: list[Stream] = []
        # The publisher is a process of its own, because the listeners' work would delay it.
        forking = multiprocessing.get_context("fork")
        self.orders, orders = forking.Pipe()
        self.publisher = forking.Process(
            target=publish_in_process, args=(orders, publish), daemon=True
        )
        self.publisher.start()

    def record_delivery(self, sent: float) -> None:
        """Record the delay of an event that was sent at `sent`."""
        self.delays.append(time.perf_counter() - sent)

    async def open_all(self) -> None:
        """Open the listeners; print CPU and memory per connection."""
        count = self.options.listeners
        await self.open(WARM_UP_STREAMS)
        before, cpu = self.process.memory_info().rss, cpu_seconds(self.process)
        await self.open(count)
        memory = (self.process.memory_info().rss - before) / count / 1024
        row(
            f"{self.name}: CPU per connection",
            (cpu_seconds(self.process) - cpu) / count * 1000,
            "ms",
        )
        row(f"{self.name}: resident per listener", memory, "KiB")

    async def open(self, count: int) -> None:
        """Open `count` more streams, a few at a time. Raises RuntimeError if one is refused."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            n = len(self.streams)
            cookie = self.cookies[n // STREAMS_PER_ACCOUNT] if self.cookies else ""
            self.streams.append(Stream(self, cookie))
            await loop.create_connection(lambda: self.streams[-1], "127.0.0.1", self.port)
            await self.wait_open(n - MAX_CONNECTING)
        await self.wait_open(len(self.streams))

    async def wait_open(self, count: int) -> None:
        """Wait until `count` streams are open."""
        async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
            while self.opened < count:
                if self.refusal:
                    raise RuntimeError(f"{self.name}: a stream is refused: {self.refusal!r}")
                await asyncio.sleep(0.001)

    async def deliver(self, count: int, pause: float) -> dict[str, float]:
        """Publish events, one every `pause` seconds; return the CPU and the delays."""
        self.delays, expected = [], count * len(self.streams)
        cpu = cpu_seconds(self.process)
        self.orders.send((count, pause))
        deadline = time.perf_counter() + count * pause + 60
        while len(self.delays) < expected and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
        assert len(self.delays) == expected, f"{len(self.delays)} of {expected} deliveries"
        return {
            "CPU": (cpu_seconds(self.process) - cpu) / expected * 1e6,
            "p50": statistics.median(self.delays) * 1000,
            "p99": percentile(self.delays, 99) * 1000,
        }


async def measure(servers: list[MeasuredServer], options: argparse.Namespace) -> None:
    """Run the rounds and print the medians, and ours as ratios to the peer's."""
    for server in servers:
        await server.open_all()
    loads = {
        "paced": (int(options.rate * options.seconds), 1 / options.rate),
        "burst": (options.burst, 0.0),
    }
    for name, load in loads.items():
        rounds = [
            [await server.deliver(*load) for server in servers] for _ in range(options.rounds)
        ]
        for figure in ("CPU", "p50", "p99"):
            unit = "s per million deliveries" if figure == "CPU" else "ms"
            for n, server in enumerate(servers):
                median = statistics.median(figures[n][figure] for figures in rounds)
                row(f"{server.name}: {name}, {figure}", median, unit)
            if len(servers) > 1:
                ratios = [ours[figure] / theirs[figure] for ours, theirs in rounds]
                row(f"ours / nchan: {name}, {figure}", statistics.median(ratios), "×")


def publish_in_process(orders: Connection, publish: Callable[[str], None]) -> None:
    """Receive orders (number of events, seconds between two events) and publish accordingly."""
    while True:
        count, pause = orders.recv()
        began = time.perf_counter()
        for n in range(count):
            publish(json.dumps({"sent": time.perf_counter(), "message": "x" * 200}))
            time.sleep(max(0, began + (n + 1) * pause - time.perf_counter()))


def commit_event(app: Flask, text: str) -> None:
    """Append one event with this JSON text to the log and commit."""
    with app.app_context(), transaction():
        event_log.append("ukm:BENCH", "chat.message", json.loads(text))


if __name__ == "__main__":
    main()
