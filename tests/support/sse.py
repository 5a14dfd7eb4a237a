"""A reader of `/stream` for tests, which keeps all events in the order received."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import requests

from tests.support.waiting import wait_until


class Received(NamedTuple):
    """One received event; `at` is the time of its arrival (time.perf_counter)."""

    id: int | None
    type: str
    data: Any
    at: float


class StreamReader:
    """Reads a stream in a thread until it ends or `close()` is called."""

    def __init__(self, url: str, session: requests.Session, **kwargs: Any) -> None:
        self.events: list[Received] = []
        self.ended = threading.Event()
        self.response = session.get(f"{url}/stream", stream=True, timeout=(5, 60), **kwargs)
        assert self.response.status_code == 200, (self.response.status_code, self.response.text)
        threading.Thread(target=self._read, daemon=True).start()

    def of(self, *types: str) -> list[Any]:
        """Return the data of all events of these types so far."""
        return [event.data for event in self.events if event.type in types]

    def wait_for(self, count: int, *types: str, timeout: float = 20.0) -> list[Any]:
        """Wait until `count` events of these types have arrived and return their data."""
        wait_until(lambda: len(self.of(*types)) >= count, timeout, f"{count} × {types}")
        return self.of(*types)

    def close(self) -> None:
        """Close the connection at once, even if the reading thread is in the middle of a read."""
        if not self.ended.is_set():
            self.response.raw.shutdown()
        self.ended.wait(5)
        self.response.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self._lines():
                if line:
                    name, _, value = line.decode().partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                if "data" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    data = json.loads(fields["data"])
                    self.events.append(Received(number, fields["event"], data, time.perf_counter()))
                fields = {}
        finally:
            self.ended.set()

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines until the stream ends or is closed in the middle of a read."""
        with suppress(requests.RequestException, AttributeError, ValueError):
            yield from self.response.iter_lines(chunk_size=1)
