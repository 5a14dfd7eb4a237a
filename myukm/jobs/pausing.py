"""Puts back a job of a paused queue that plain `rq worker` has taken, before the job begins.

RQ itself knows no paused queues, so a waiting worker takes jobs that another program enqueues.
`worker.py` checks for a pause before it begins a job (`worker/pausing.py`).
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from rq import get_current_job
from rq.job import Job, JobStatus

from myukm.domain import queue_pauses
from myukm.queues import pauses

P = ParamSpec("P")
R = TypeVar("R")


def waits_while_paused(job: Callable[P, R]) -> Callable[P, R]:
    """Let `job` begin only if its queue is not paused."""

    @wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        current = get_current_job()
        if current and _has_own_process(current) and _is_paused(current):
            _put_back(current)
            os._exit(os.EX_OK)  # RQ's worker does not touch a job whose process exits with 0
        return job(*args, **kwargs)

    return run


def _has_own_process(job: Job) -> bool:
    """Return whether RQ forked this process for the job, so that it may end."""
    return os.environ.get("RQ_JOB_ID") == job.id


def _is_paused(job: Job) -> bool:
    from myukm.jobs import worker_app

    paused = pauses.is_paused(job.connection, job.origin)
    if paused is None:  # Valkey has lost the state of the queue
        with worker_app().app_context():
            paused = queue_pauses.restore_copy(job.origin)
    return paused


def _put_back(job: Job) -> None:
    with job.connection.pipeline() as pipe:
        for execution in job.get_executions():
            execution.delete(job, pipe)
        job.set_status(JobStatus.QUEUED, pipeline=pipe)
        pipe.hdel(job.key, "started_at", "worker_name")
        pauses.put_back(pipe, job.origin, job.id)
        pipe.execute()
