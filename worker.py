"""The production worker: `python worker.py [QUEUE …] [--burst] [--verbose]`.

One process per queue and one for the periodic tasks; each is restarted when it exits. SIGTERM
stops them within seconds, SIGHUP and `flask queue restart` restart them.
"""

import argparse
import sys

from config import ConfigError, load
from myukm.queues import restart_flag
from myukm.queues.jobs import QUEUES


def main() -> int:
    """Run until stopped and return the exit status, 2 for wrong arguments or settings."""
    options = _options()
    try:
        settings = load()
    except ConfigError as error:
        print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
        return 2
    restarts = restart_flag.at_start(settings["REDIS_URL"])
    from myukm.worker.main import run  # only now, see `at_start`

    return run(settings, options, restarts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="worker.py", description="MyUKM's production worker.")
    parser.add_argument(
        "queues", nargs="*", metavar="QUEUE", help=f"any of {', '.join(QUEUES)}; all when none"
    )
    parser.add_argument("--burst", action="store_true", help="work until the queues are empty")
    parser.add_argument("--verbose", action="store_true", help="log each job")
    options = parser.parse_args()
    if unknown := set(options.queues) - set(QUEUES):
        parser.error(f"{', '.join(sorted(unknown))}: no such queue; there are {', '.join(QUEUES)}")
    options.queues = [queue for queue in QUEUES if queue in (options.queues or QUEUES)]
    return options


if __name__ == "__main__":
    sys.exit(main())
