"""Run a program whose wall clock is off: `python -m tests.faults.wrong_clock -3600[@HOST] FILE`.

The first argument is the number of seconds by which the clock is fast. Monotonic clocks stay as
they are, as on a machine whose clock was set wrong. Beside programs with the right time, HOST must
be a name of its own, because the reports of one host about its clock replace each other.
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
