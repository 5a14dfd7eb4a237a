"""Jobs that look after the queues themselves."""

import os
import socket

from rq import get_current_job


def ping() -> dict[str, str | int]:
    """Say who answers. It needs neither the app nor the database: the queue alone is tried."""
    job = get_current_job()
    return {
        "worker": (job and job.worker_name) or "",
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
