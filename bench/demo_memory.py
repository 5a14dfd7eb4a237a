"""Memory of the demo, by part, as PSS: a memory page that n processes share counts 1/n for each.

    python -m bench.demo_memory [--seconds 20]

Starts the demo of this folder, waits `--seconds` after it is ready, measures, and stops the
demo. Linux only.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import psutil

from bench.arguments import positive_float
from bench.report import row

PARTS = ("reaper.py", "gunicorn", "worker.py", "devtools.simulator", "valkey-server", "demo")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--seconds", type=positive_float, default=20, help="to wait after the start"
    )
    options = parser.parse_args()
    argv = [sys.executable, "-m", "demo"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout
            assert any("http://" in line for line in demo.stdout), "the demo did not start"
            time.sleep(options.seconds)
            show(psutil.Process(demo.pid))
        finally:
            demo.terminate()


def show(demo: psutil.Process) -> None:
    """Print the memory of each part and of the whole demo."""
    found, processes = Counter[str](), Counter[str]()
    for process in (demo, *demo.children(recursive=True)):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            part = next(part for part in PARTS if part in command)
            found[part] += process.memory_full_info().pss
            processes[part] += 1
    for part in PARTS:
        row(f"{part}, {processes[part]} processes", found[part] / 2**20, "MiB")
    row("the demo", found.total() / 2**20, "MiB")


if __name__ == "__main__":
    main()
