"""Starts, controls and stops a simulator process, for tests and benches."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from devtools.ports import HOST
from devtools.process_tree import ManagedProcess

ROOT = Path(__file__).resolve().parents[2]


class Simulator:
    """A running simulator: `url` is for the program under test, the methods control it.

    `options` are the fields of `options.Options`. Raises RuntimeError if it does not start.
    """

    def __init__(self, port: int = 0, host: str = HOST, **options: Any) -> None:
        self._child = ManagedProcess.python(
            "-m",
            "devtools.simulator",
            "--host",
            host,
            "--port",
            str(port),
            "--json",
            json.dumps(options),
            cwd=ROOT,
        )
        line = self._child.read_line()
        if not line.startswith("http://"):
            self._child.kill()
            raise RuntimeError(f"the simulator did not start: {line or 'no output'}")
        self.url = line

    def set(self, **options: Any) -> dict[str, Any]:
        """Set options and return the simulator's state. Raises ValueError for a bad option."""
        return self._call("", options)

    def advance(self, chosen: float | Sequence[str] = 0.1) -> None:
        """Add a payment for a share of the students, or for those with these ids."""
        self.set(changes=[*self.state()["options"]["changes"], chosen])

    def state(self) -> dict[str, Any]:
        """Return options and counters."""
        return self._call("")

    def students(self) -> dict[str, dict[str, int]]:
        """Return `{idperson: {"asked", "answered"}}`: requests, and correct answers, since the
        last reset."""
        return self._call("/students")

    def reset(self) -> None:
        """Set all counters to zero; the options stay."""
        self._call("/reset", {})

    def expected(self, idperson: str) -> dict[str, Any]:
        """Return the correct body for a student, whatever fault is set. Raises ValueError for an
        unknown student."""
        return self._call(f"/expected/{idperson}")

    def stop(self) -> None:
        """End the process. Idempotent."""
        self._child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim{path}", data)  # noqa: S310 (our own)
        try:
            with _DIRECT.open(request, timeout=30) as reply:
                answer: dict[str, Any] = json.load(reply)
                return answer
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
