"""What can be wrong, a small function each: it looks, and yields what it found."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from myukm.addresses import hide
from myukm.db.types import to_iso8601

WARNING, BROKEN = "warning", "broken"


@dataclass(frozen=True)
class Finding:
    """Something wrong: a code for scripts, how bad, what it is, since when, and what to do."""

    code: str
    level: str
    message: str
    cure: str
    since: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `flask queue doctor --json` prints it."""
        told = {name: hide(str(value)) for name, value in asdict(self).items()}
        return {**told, "since": to_iso8601(self.since)}
