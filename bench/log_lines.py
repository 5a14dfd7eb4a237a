"""CPU time of a log line that is only printed, and of one that is also sent to Valkey's stream.

    python -m bench.log_lines

Prints the CPU time per line of the calling thread and of the whole process (which includes the
sender thread), and the CPU time of searching all stored lines.
"""

import logging
import os
import secrets
import statistics
import tempfile
import time
from pathlib import Path

import config
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.logs import log_stream
from myukm.logs.lines import TextFormatter
from myukm.logs.log_stream import Wanted
from myukm.logs.shipper import LogShipper
from tests.support.waiting import wait_until

LINES, TURNS = 1000, 5
UNREACHABLE = "redis://127.0.0.1:1/0"
logger = logging.getLogger("myukm.bench")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, start_valkey(Path(folder)) as valkey:
        env = {"REDIS_URL": valkey.url, "SECRET_KEY": secrets.token_hex(32)}
        env["DATABASE_URL"] = f"sqlite:///{folder}/bench.db"
        app = create_app(config.load(env))
        logger.propagate = False
        logger.setLevel(logging.INFO)
        with open(os.devnull, "w") as nowhere:
            printer = logging.StreamHandler(nowhere)
            printer.setFormatter(TextFormatter("web"))
            shipper = LogShipper(valkey.url, "web")
            with app.test_request_context("/ukm"):
                measure(printer, shipper)
            unreachable = LogShipper(UNREACHABLE, "web")
            caller, _ = cost([printer, unreachable], unreachable)
            print(f"no Valkey:       {caller:6.1f} µs of the caller")
        began = time.process_time()
        log_stream.read(app.extensions["valkey"], Wanted(text="in no line"))
        took = (time.process_time() - began) * 1000
        print(f"searching {log_stream.MAX_LINES} lines: {took:.0f} ms of CPU")


def measure(printer: logging.Handler, shipper: LogShipper) -> None:
    """Alternate between a handler that prints and two that print and send; print medians."""
    alone, both = [], []
    for _ in range(TURNS):
        alone.append(cost([printer], None))
        both.append(cost([printer, shipper], shipper))
    for name, found in (("printed alone", alone), ("printed and sent", both)):
        caller, process = (statistics.median(each[part] for each in found) for part in (0, 1))
        print(f"{name + ':':17}{caller:6.1f} µs of the caller, {process:6.1f} µs of the process")


def cost(handlers: list[logging.Handler], shipper: LogShipper | None) -> tuple[float, float]:
    """Return CPU microseconds per line: the caller's, and the process's until all are sent."""
    logger.handlers[:] = handlers
    process, caller = time.process_time(), time.thread_time()
    for number in range(LINES):
        logger.warning("run %d: the database does not answer: %s", number, "Connection refused")
    caller = time.thread_time() - caller
    if shipper and shipper.url != UNREACHABLE:
        wait_until(shipper.flush, 60, "all lines are sent")
    return caller / LINES * 1e6, (time.process_time() - process) / LINES * 1e6


if __name__ == "__main__":
    main()
