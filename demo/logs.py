"""A log file with size-based rotation."""

from collections import deque
from pathlib import Path

LIMIT = 2_000_000
TAIL = 2


class BoundedLog:
    """Appends lines to `path`. A full file is renamed to `path.1`, replacing the older one.

    `tail` holds the last lines, which are shown when the program exits.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._limit = limit
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        """Append one line."""
        self.tail.append(line)
        self._file.write(f"{line}\n")
        if self.path.stat().st_size >= self._limit:
            self._rotate()

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("a", encoding="utf-8", buffering=1)
