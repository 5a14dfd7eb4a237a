"""Loads the app once, then forks the processes of `worker.py` from it."""

import gc
import logging
from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from sqlalchemy.orm import configure_mappers

from myukm import create_app, i18n, jobs
from myukm.domain.installation import code_version
from myukm.logs import setup
from myukm.queues.jobs import JOBS
from myukm.worker import processes, supervisor


def run(settings: Mapping[str, Any], options: Namespace, restarts: bytes | None) -> int:
    """Run until stopped and return the exit status.

    `options` are those of the command line; `restarts` is what `restart_flag.at_start` returned.
    """
    code_version()  # read now, because an upgrade may replace the files later
    app = create_app(settings, interfaces=False)
    setup.start(app.config, "worker", forks=True)
    logging.getLogger(setup.OWN).setLevel(logging.INFO)
    jobs.set_worker_app(app)
    i18n.preload(app)
    configure_mappers()
    for path in JOBS:
        import_module(path.rpartition(".")[0])
    # The processes share what is loaded here; their collectors would write into it, and so copy it.
    gc.collect()
    gc.freeze()
    level = "INFO" if options.verbose else "WARNING"
    parts = {
        queue: partial(processes.run_worker, app, queue, options.burst, level)
        for queue in options.queues
    }
    if options.burst:
        return processes.run_burst(parts)
    parts["watch"] = partial(processes.run_periodic, app, restarts)
    return supervisor.Supervisor(parts).run()
