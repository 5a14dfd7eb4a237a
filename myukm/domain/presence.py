"""Who is here: connection entries in Valkey that expire."""

from typing import Any


def connect(user_id: int, connection: str) -> None:
    """Note a stream that opened."""


def refresh(user_id: int, connection: str) -> None:
    """Note that a stream still stands."""


def disconnect(user_id: int, connection: str) -> None:
    """Note a stream that ended."""


def connections(user_id: int) -> int:
    """Return how many streams the account has open on all web processes (0: Valkey is away)."""
    return 0


def snapshot(code: str) -> list[dict[str, Any]]:
    """Return the presence objects of a UKM's members who are online."""
    return []
