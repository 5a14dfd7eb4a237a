"""Findings of the doctor. Each check is a generator function that yields what it found."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from myukm.db.types import to_iso8601
from myukm.logs.redaction import hide

WARNING, BROKEN = "warning", "broken"


@dataclass(frozen=True)
class Finding:
    """One problem: code for scripts, level, description, since when, and what to do about it."""

    code: str
    level: str
    message: str
    cure: str
    since: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `flask queue doctor --json` prints it."""
        told = {name: hide(str(value)) for name, value in asdict(self).items()}
        return {**told, "since": to_iso8601(self.since)}
