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
    """Yield the port of a relay to `port`, which delays the server's answers by `seconds`."""
    own = any_free()
    relay = multiprocessing.get_context("spawn").Process(target=_relay, args=(own, port, seconds))
    relay.start()
    try:
        wait_until(lambda: _listens(own), 20, "the relay listens")
        yield own
    finally:
        relay.kill()
        relay.join()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _relay(own: int, port: int, seconds: float) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: _join(r, w, port, seconds), HOST, own)
        await server.serve_forever()

    asyncio.run(serve())


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, seconds: float
) -> None:
    from_server, to_server = await asyncio.open_connection(HOST, port)
    await asyncio.gather(_copy(reader, to_server, 0.0), _copy(from_server, writer, seconds))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            if seconds:
                await asyncio.sleep(seconds)
            sink.write(data)
    sink.close()
