"""The production worker: `python worker.py [QUEUE …] [--burst] [--verbose]`.

One process per queue and one for the periodic tasks; each is restarted when it exits. SIGTERM
stops them within seconds, SIGHUP and `flask queue restart` restart them.
"""

import argparse
import logging
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from config import ConfigError, load
from myukm import garbage
from myukm.queues import restart_counter
from myukm.queues.jobs import JOBS, QUEUES

if TYPE_CHECKING:
    from flask import Flask


def main() -> int:
    """Run until stopped and return the exit status, 2 for wrong arguments or settings."""
    options = _options()
    try:
        settings = load()
    except ConfigError as error:
        print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
        return 2
    return _run(settings, options, restart_counter.at_start(settings["REDIS_URL"]))


def _run(settings: Mapping[str, Any], options: argparse.Namespace, restarts: bytes | None) -> int:
    """Load the app once, and fork the processes from it.

    `restarts` is the counter of restart requests. It was read before the imports below, so that a
    request during the imports, which may still load old code, restarts the worker.
    """
    with garbage.frozen():
        app = _load(settings)
        from myukm.worker import processes, supervisor
    level = "INFO" if options.verbose else "WARNING"
    mains = {
        queue: partial(processes.run_worker, app, queue, options.burst, level)
        for queue in options.queues
    }
    if options.burst:
        return processes.run_burst(mains)
    mains["watch"] = partial(processes.run_periodic, app, restarts)
    return supervisor.Supervisor(mains).run()


def _load(settings: Mapping[str, Any]) -> "Flask":
    """Create the app and import what jobs need, so that the forks share it."""
    from sqlalchemy.orm import configure_mappers

    from myukm import create_app, i18n, jobs
    from myukm.domain.installation import code_version
    from myukm.logs import setup

    code_version()
    app = create_app(settings, interfaces=False)
    setup.start(app.config, "worker", forks=True)
    logging.getLogger(setup.OWN).setLevel(logging.INFO)
    jobs.set_worker_app(app)
    i18n.preload(app)
    configure_mappers()
    for path in JOBS:
        import_module(path.rpartition(".")[0])
    return app


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
