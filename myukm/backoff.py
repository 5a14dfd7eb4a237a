"""Exponential backoff."""

MAX_DOUBLINGS = 32


def backoff(first: float, longest: float, failures: int) -> float:
    """Return the pause (seconds) before the next try: `first`, doubled for each of the `failures`,
    at most `longest`."""
    return min(first * 2.0 ** min(failures, MAX_DOUBLINGS), longest)
