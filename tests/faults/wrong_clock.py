"""Run a program whose wall clock is off: `python -m tests.faults.wrong_clock -3600[@HOST] FILE`.

The first argument is by how many seconds. Clocks that only count (monotonic) stay as they are, as
on a machine whose clock was set wrong. Beside programs with the right time it needs a host name of
its own, because what a machine publishes of its clock replaces what it published before.
"""

import runpy
import socket
import sys
from datetime import UTC, datetime, timedelta

import time_machine

if __name__ == "__main__":
    seconds, _, host = sys.argv.pop(1).partition("@")
    del sys.argv[0]
    if host:
        socket.gethostname = lambda: host
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(seconds))).start()
    runpy.run_path(sys.argv[0], run_name="__main__")
