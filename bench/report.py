"""Output of the benches: one figure per line, with its unit."""

from collections.abc import Sequence

import psutil


def row(name: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{name:<36} {value:>12,.2f} {unit}", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spent(process: psutil.Process) -> float:
    """Return the seconds of CPU that a process used."""
    times = process.cpu_times()
    return float(times.user + times.system)
