"""`worker.py`'s supervisor and periodic tasks with a child that takes memory once a file exists.

python -m tests.support.greedy_worker FILE
"""

import sys
import time
from functools import partial
from pathlib import Path

from myukm import create_app
from myukm.worker.processes import run_periodic
from myukm.worker.supervisor import Supervisor

TAKEN = 400 * 1024 * 1024


def take(file: Path) -> int:
    """Wait for `file`, then take memory once and keep it until stopped."""
    kept = b""
    while True:
        if file.exists() and not kept:
            kept = b"x" * TAKEN
        time.sleep(0.1)


if __name__ == "__main__":
    app = create_app(interfaces=False)
    parts = {"greedy": partial(take, Path(sys.argv[1])), "watch": partial(run_periodic, app)}
    sys.exit(Supervisor(parts).run())
