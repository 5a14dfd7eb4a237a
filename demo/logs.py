"""A log file with size-based rotation."""

from collections import deque
from contextlib import suppress
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

    def write(self, line: str) -> None:
        """Append one line. A full disk loses the line, because the program is to go on."""
        self.tail.append(line)
        with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            if file.tell() >= self._limit:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
