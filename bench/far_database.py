"""Simulates a distant database server: a relay that adds a delay to each round trip."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager

from devtools.ports import HOST, any_free
from tests.support.waiting import wait_until


@contextmanager
def far(port: int, seconds: float) -> Iterator[int]:
    """Start a relay to `port` that delays the server's answers by `seconds`; yield its port."""
    relay_port = any_free()
    relay = multiprocessing.get_context("spawn").Process(
        target=_relay, args=(relay_port, port, seconds)
    )
    relay.start()
    try:
        wait_until(lambda: _listens(relay_port), 20, "the relay listens")
        yield relay_port
    finally:
        relay.kill()
        relay.join()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _relay(relay_port: int, port: int, seconds: float) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(
            lambda r, w: _join(r, w, port, seconds), HOST, relay_port
        )
        await server.serve_forever()

    asyncio.run(serve())


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, seconds: float
) -> None:
    from_server, to_server = await asyncio.open_connection(HOST, port)
    await asyncio.gather(_copy(reader, to_server, 0.0), _copy(from_server, writer, seconds))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Pass on what `source` sends, each part `seconds` after it has arrived."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            loop.call_later(seconds, sink.write, data)
    loop.call_later(seconds, sink.close)
