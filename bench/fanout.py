"""Delay of an event to many listeners of one web process, and CPU and memory per listener.

    python -m bench.fanout [--listeners 2000] [--rate 10] [--seconds 10]

Real gunicorn (one worker), real Valkey, real HTTP streams of `/stream`, all members of one UKM.
Every event contains the time of its commit, from which a listener's delay is measured.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import insert

import config
from bench.report import percentile, row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.live import event_log
from myukm.models import LoginSession, Membership, Ukm, User
from myukm.web.http.access import today
from tests.support.programs import WebServer

STREAMS_EACH, WARMING = 10, 20
CONNECTING = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=10, help="events per second")
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start_valkey(Path(folder) / "valkey") as valkey:
        env = {
            "DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "REDIS_URL": valkey.url,
            "SECRET_KEY": secrets.token_urlsafe(32),
        }
        app = create_app(config.load(env))
        cookies = populate(app, -(-asked.listeners // STREAMS_EACH) + WARMING)
        server = WebServer(Path(folder) / "web.log", env)
        try:
            asyncio.run(measure(app, server, cookies, asked))
        except AssertionError:
            print(server.output()[-3000:])
            raise
        finally:
            server.kill()


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


async def measure(
    app: Flask, server: WebServer, cookies: list[str], asked: argparse.Namespace
) -> None:
    """Open the streams, append the events, print the delays."""
    worker = max(psutil.Process(server.child.pid).children(recursive=True), key=lambda p: p.pid)
    delays: list[float] = []
    gate = asyncio.Semaphore(CONNECTING)
    port = int(server.url.rsplit(":", 1)[1])
    await warm_up(port, [cookies.pop() for _ in range(WARMING)])
    before, start = worker.memory_info().rss, worker.cpu_times()
    started = time.perf_counter()
    readers = [
        asyncio.create_task(listen(port, cookies[n % len(cookies)], delays, gate))
        for n in range(asked.listeners)
    ]
    while sum(reader.get_name().startswith("open") for reader in readers) < asked.listeners:
        await asyncio.sleep(0.05)
        for reader in readers:
            if reader.done():
                reader.result()
    connected = time.perf_counter() - started
    cpu = worker.cpu_times()
    count = int(asked.rate * asked.seconds)
    for n in range(count):
        await asyncio.to_thread(say, app)
        await asyncio.sleep(
            max(0, started + connected + (n + 1) / asked.rate - time.perf_counter())
        )
    deadline = time.perf_counter() + 10
    while len(delays) < count * asked.listeners and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    spent = worker.cpu_times()
    used = spent.user + spent.system - cpu.user - cpu.system
    row("listeners", asked.listeners, "")
    row("connecting", connected, "s")
    row(
        "CPU per connection",
        (cpu.user + cpu.system - start.user - start.system) / asked.listeners * 1000,
        "ms",
    )
    row("deliveries", len(delays), f"of {count * asked.listeners}")
    row("delay p50", statistics.median(delays) * 1000, "ms")
    row("delay p99", percentile(delays, 99) * 1000, "ms")
    row("CPU per million deliveries", used / len(delays) * 1e6, "s")
    row("memory per listener", (worker.memory_info().rss - before) / asked.listeners / 1024, "KiB")
    for reader in readers:
        reader.cancel()


async def warm_up(port: int, cookies: list[str]) -> None:
    """Open and close a few streams, so that one-time costs are not counted."""
    gate = asyncio.Semaphore(CONNECTING)
    readers = [asyncio.create_task(listen(port, cookie, [], gate)) for cookie in cookies]
    while not all(reader.get_name().startswith("open") for reader in readers):
        await asyncio.sleep(0.05)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


def say(app: Flask) -> None:
    """Commit one event that contains the current time."""
    with app.app_context(), transaction():
        event_log.append(
            "ukm:BENCH", "chat.message", {"sent": time.perf_counter(), "message": "x" * 200}
        )


async def listen(port: int, cookie: str, delays: list[float], gate: asyncio.Semaphore) -> None:
    """Read one stream for ever and record each event's delay."""
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(f"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: myukm={cookie}\r\n\r\n".encode())
        status = await reader.readline()
        assert b" 200 " in status, status
        while await reader.readline() != b"\r\n":
            pass
        await reader.readuntil(b"\n\n")
        task = asyncio.current_task()
        assert task
        task.set_name("open")
    while line := await reader.readline():
        if line.startswith(b"data: ") and b'"sent"' in line:
            delays.append(time.perf_counter() - json.loads(line[6:])["sent"])


if __name__ == "__main__":
    main()
