"""Time from a message's POST until the last of 20 listeners has it, and CPU of the web process per
POST, compared with a program that publishes within the request.

    python -m bench.chat [--rounds 3] [--messages 200] [--burst 300]

Three stacks of real processes, each with its own database and Valkey: `worker.py`, plain
`rq worker high`, and the baseline (bench/direct.py). They alternate, round by round.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import aiohttp
import psutil

import config
from bench.arguments import positive_int
from bench.fanout import populate
from bench.report import cpu_seconds, percentile, row
from devtools.valkey import start_valkey
from myukm import create_app
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until

LISTENERS, ACCOUNTS, MESSAGES_PER_SECOND, SENDERS, BURSTS = 20, 300, 20.0, 20, 3
# The WSGI app and the worker's command of each stack.
STACKS = {
    "worker.py": ("wsgi:app", ("python", "worker.py", "high")),
    "plain rq": ("wsgi:app", ("rq", "worker", "high")),
    "direct": ("bench.direct:app", None),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=positive_int, default=3)
    parser.add_argument("--messages", type=positive_int, default=200, help="in a paced round, 20/s")
    parser.add_argument(
        "--burst", type=positive_int, default=300, help="messages at once, 20 in flight"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stacks = {name: Stack(stack, folder / name, *STACKS[name]) for name in STACKS}
        asyncio.run(measure(stacks, options))


class Stack:
    """One web process with its database, its Valkey and its worker."""

    def __init__(
        self, stack: ExitStack, folder: Path, app: str, worker: tuple[str, ...] | None
    ) -> None:
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        env = {
            "DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "REDIS_URL": valkey.url,
            "SECRET_KEY": secrets.token_urlsafe(32),
        }
        self.cookies = populate(create_app(config.load(env)), ACCOUNTS)
        web = WebServer(folder / "web.log", env, app=app)
        stack.callback(web.kill)
        self.url = web.url
        # gunicorn's only worker: its process started last.
        self.web_process = max(
            psutil.Process(web.child.pid).children(recursive=True), key=lambda process: process.pid
        )
        if worker:
            program = Program(folder / "worker.log", env, *worker)
            stack.callback(program.kill)
            wait_until(lambda: listens(valkey.url), 30, f"{worker} listens")
        self.received: dict[str, list[float]] = defaultdict(list)
        self.posted = 0

    def cpu(self) -> float:
        """Return the CPU seconds that the web process has used."""
        return cpu_seconds(self.web_process)

    async def listen(self, session: aiohttp.ClientSession, cookie: str) -> None:
        """Read one stream until cancelled and record when each message arrived."""
        headers = {"Cookie": f"myukm={cookie}"}
        async with session.get(f"{self.url}/stream", headers=headers) as answer:
            assert answer.status == 200, answer.status
            kind = b""
            async for line in answer.content:
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                elif line.startswith(b"data: ") and kind == b"chat.message":
                    self.received[json.loads(line[6:])["client_id"]].append(time.perf_counter())

    async def post(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        """Post one message; return its client_id and the time before the request."""
        self.posted += 1
        client_id, cookie = f"c{self.posted}", self.cookies[self.posted % ACCOUNTS]
        sent = {"message": "x" * 100, "client_id": client_id}
        started = time.perf_counter()
        async with session.post(
            f"{self.url}/ukm/BENCH/messages", json=sent, headers={"Cookie": f"myukm={cookie}"}
        ) as answer:
            assert answer.status == 201, await answer.text()
        return client_id, started

    async def received_by_all(self, client_id: str) -> float:
        """Return the time at which the last listener received the message."""
        deadline = time.perf_counter() + 20
        while len(self.received[client_id]) < LISTENERS:
            assert time.perf_counter() < deadline, f"{client_id} did not reach all listeners"
            await asyncio.sleep(0.01)
        return max(self.received[client_id])


def listens(url: str) -> bool:
    """Return whether a worker of this Valkey waits for jobs."""
    import redis

    with redis.Redis.from_url(url) as client:
        return any(entry["cmd"] in ("blmove", "brpop", "blpop") for entry in client.client_list())


async def measure(stacks: dict[str, Stack], options: argparse.Namespace) -> None:
    """Run the rounds and print the results."""
    delays: dict[str, list[float]] = {name: [] for name in stacks}
    rates: dict[str, list[float]] = {name: [] for name in stacks}
    costs: dict[str, list[float]] = {name: [] for name in stacks}
    async with AsyncExitStack() as exits:
        connector = aiohttp.TCPConnector(limit=0)
        session = await exits.enter_async_context(aiohttp.ClientSession(connector=connector))
        readers = [
            asyncio.create_task(stack.listen(session, cookie))
            for stack in stacks.values()
            for cookie in stack.cookies[:LISTENERS]
        ]
        await asyncio.sleep(2)
        for stack in stacks.values():
            await paced(stack, session, 20)
        for _ in range(options.rounds):
            for name, stack in stacks.items():
                before = stack.cpu()
                delays[name] += await paced(stack, session, options.messages)
                costs[name].append((stack.cpu() - before) / options.messages)
            for _ in range(BURSTS):
                for name, stack in stacks.items():
                    rates[name].append(await burst(stack, session, options.burst))
        for reader in readers:
            reader.cancel()
    show(delays, rates)
    for name, spent in costs.items():
        row(f"{name}: CPU of the web per POST", statistics.median(spent) * 1000, "ms")


async def paced(stack: Stack, session: aiohttp.ClientSession, count: int) -> list[float]:
    """Post `count` messages at 20 a second; return the seconds each took to the last listener."""
    begin, tasks = time.perf_counter(), []
    for n in range(count):
        tasks.append(asyncio.create_task(stack.post(session)))
        await asyncio.sleep(max(0.0, begin + (n + 1) / MESSAGES_PER_SECOND - time.perf_counter()))
    posted = await asyncio.gather(*tasks)
    return [await stack.received_by_all(client_id) - started for client_id, started in posted]


async def burst(stack: Stack, session: aiohttp.ClientSession, count: int) -> float:
    """Post `count` messages with 20 in flight; return the messages delivered per second."""
    left = iter(range(count))
    begin = time.perf_counter()

    async def sender() -> list[str]:
        return [(await stack.post(session))[0] for _ in left]

    posted = await asyncio.gather(*(sender() for _ in range(SENDERS)))
    ends = [await stack.received_by_all(client_id) for ids in posted for client_id in ids]
    return count / (max(ends) - begin)


def show(delays: dict[str, list[float]], rates: dict[str, list[float]]) -> None:
    """Print the figures of each stack, and the ratios of `worker.py` to the baseline."""
    figures: dict[str, Callable[[str], float]] = {
        "p50": lambda name: statistics.median(delays[name]) * 1000,
        "p99": lambda name: percentile(delays[name], 99) * 1000,
    }
    for what, figure in figures.items():
        for name in delays:
            row(f"{name}: POST to all listeners, {what}", figure(name), "ms")
    for name, measured in rates.items():
        row(f"{name}: burst", statistics.median(measured), "messages/s")
    for what, figure in figures.items():
        row(f"worker.py / direct, {what}", figure("worker.py") / figure("direct"), "×")
    ratios = [ours / peer for ours, peer in zip(rates["worker.py"], rates["direct"], strict=True)]
    row("worker.py / direct, burst", statistics.median(ratios), "×")


if __name__ == "__main__":
    main()
