"""Histograms with fixed buckets: how often a value fell between two bounds."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def bucket(bounds: Sequence[float], value: float) -> int:
    """Return the number of the bucket of `value`. Bucket `len(bounds)` is for values above all
    bounds."""
    return bisect_left(bounds, value)


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Return the value below which `share` (0 to 1) of all values lie; None without values.

    `counts` has the number of values in each bucket and may lack empty buckets at its end.
    Interpolates within a bucket; returns the last bound for values above all bounds.
    """
    reached = list(accumulate(counts))
    if not reached or not reached[-1]:
        return None
    wanted = share * reached[-1]
    index = bisect_left(reached, wanted)
    if index == len(bounds):
        return bounds[-1]
    below = bounds[index - 1] if index else 0.0
    inside = (wanted - reached[index] + counts[index]) / counts[index]
    return below + (bounds[index] - below) * inside
