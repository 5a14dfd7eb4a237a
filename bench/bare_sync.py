"""The baseline of bench/sync: a script that only fetches and updates.

One aiohttp session, a fixed number of requests in flight, one UPDATE statement for every 500
answers. No queue, retry, validation or progress: the difference is what the program adds. Prints
JSON: seconds and CPU seconds.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import psycopg

BATCH_STUDENTS = 500


def main() -> None:
    """Sync every student once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    options = parser.parse_args()
    postgresql = options.database.startswith("postgresql")
    connection: Any = (
        psycopg.connect(options.database)
        if postgresql
        else sqlite3.connect(options.database.removeprefix("sqlite:///"), check_same_thread=False)
    )
    ids = [row[0] for row in connection.execute("SELECT idperson FROM siswa ORDER BY id")]
    param = "%s" if postgresql else "?"
    statement = f"UPDATE siswa SET pembayaran = {param}, saldo = {param} WHERE idperson = {param}"
    started, before = time.perf_counter(), cpu()
    asyncio.run(sync(options.api, options.concurrency, iter(ids), connection, statement))
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu": cpu() - before}))


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def sync(
    api: str, concurrency: int, ids: Iterator[str], connection: Any, statement: str
) -> None:
    """Fetch with `concurrency` tasks; the task that fills a batch writes it."""
    rows: list[tuple[str, str, str]] = []
    writing = asyncio.Lock()

    async def write(batch: list[tuple[str, str, str]]) -> None:
        async with writing:
            await asyncio.to_thread(store, connection, statement, batch)

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal rows
        for idperson in ids:
            async with session.get(f"{api}/payments/{idperson}") as response:
                data = (await response.json())["data"]
            payments = data[0] if data else {"periods": [], "saldo": 0}
            rows.append((json.dumps(payments["periods"]), str(payments["saldo"]), idperson))
            if len(rows) >= BATCH_STUDENTS:
                batch, rows = rows, []
                await write(batch)

    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    await write(rows)


def store(connection: Any, statement: str, rows: list[tuple[str, str, str]]) -> None:
    """Write one batch in one transaction."""
    connection.cursor().executemany(statement, rows)
    connection.commit()


if __name__ == "__main__":
    main()
