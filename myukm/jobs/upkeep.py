"""The ping job, with which `queue_ping` tests a queue."""

import os
import socket

from rq import get_current_job

from myukm.jobs.pausing import waits_while_paused


@waits_while_paused
def ping() -> dict[str, str | int]:
    """Return the worker's name, host and process id.

    Needs neither app nor database, so that it tests the queue alone.
    """
    job = get_current_job()
    return {
        "worker": (job and job.worker_name) or "",
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
