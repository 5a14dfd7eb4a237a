"""Run a Python program whose wall clock is off: `python -m tests.faults.wrong_clock -3600 FILE`.

The first argument is by how many seconds. Clocks that only count (monotonic) stay as they are, as
on a machine whose clock was set wrong.
"""

import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine

if __name__ == "__main__":
    seconds = float(sys.argv.pop(1))
    del sys.argv[0]
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds)).start()
    runpy.run_path(sys.argv[0], run_name="__main__")
