"""Output of the benches: one figure per line, with its unit."""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress

import psutil


def row(name: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{name:<36} {value:>12,.2f} {unit}", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of the values do not exceed (nearest rank)."""
    return sorted(values)[_rank(values, percent)]


def _rank(values: Sequence[float], percent: float) -> int:
    exact = round(len(values) * percent / 100, 6)  # 99.9 is not exact in binary
    return max(0, math.ceil(exact) - 1)


def tail_row(
    name: str, values: Sequence[float], percent: float, unit: str, scale: float = 1.0
) -> None:
    """Print how slow the slowest are, times `scale`: a high percentile, or the maximum, called so,
    of values that are too few for that percentile."""
    is_max = _rank(values, percent) == len(values) - 1
    figure = f"max of {len(values)}" if is_max else f"p{percent:g}"
    row(f"{name}, {figure}", percentile(values, percent) * scale, unit)


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used, without its children's."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_with_ended_children(processes: Iterable[psutil.Process]) -> float:
    """Return the CPU seconds of these processes and of their children that have ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total
