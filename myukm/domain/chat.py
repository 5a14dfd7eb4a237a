"""Messages of a UKM: stored first, then broadcast."""

from typing import Any


def unread(user_id: int) -> list[dict[str, Any]]:
    """Return `{"ukm", "count"}` for each UKM of the account."""
    return []
