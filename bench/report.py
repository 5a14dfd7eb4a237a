"""Output of the benches: one figure per line, with its unit."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import psutil


def row(name: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{name:<36} {value:>12,.2f} {unit}", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


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
