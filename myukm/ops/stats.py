"""The figures of the queues."""

from typing import Any


def health() -> dict[str, Any]:
    """Return what `flask queue monitor --json` prints."""
    return {}
