"""The ping job, with which `queue_ping` tests a queue."""

from rq import get_current_job

from myukm.jobs.pausing import waits_while_paused


@waits_while_paused
def ping() -> str:
    """Return the worker's name.

    Needs neither app nor database, so that it tests the queue alone.
    """
    job = get_current_job()
    return (job and job.worker_name) or ""
