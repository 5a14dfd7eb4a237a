"""Findings of the doctor. Each check is a generator function that yields what it found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from myukm.db.types import to_iso8601
from myukm.logs.redaction import hide

WARNING, BROKEN = "warning", "broken"


@dataclass(frozen=True)
class Finding:
    """One problem: code for scripts, level, description, what to do about it, and since when.

    `subject` is what it is about where several can have the code (a queue, a folder), `extent` how
    much is concerned, so that an alert knows when it gets worse. The doctor sets `server`: what was
    asked for it.
    """

    code: str
    level: str
    message: str
    cure: str
    since: datetime | None = None
    subject: str = ""
    extent: int = 1
    server: str = ""

    @property
    def key(self) -> str:
        """What identifies it over time: its code and what it is about."""
        return f"{self.code}:{self.subject}" if self.subject else self.code

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `flask queue doctor --json` prints it."""
        words = {"code": self.code, "level": self.level, "message": self.message, "cure": self.cure}
        told = {name: hide(str(value)) for name, value in words.items()}
        return {**told, "since": to_iso8601(self.since)}
