"""RQ jobs: each calls one domain function inside an app context.

The app is created once per process, on the first job, so plain `rq worker` works as well.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, has_app_context
from rq import get_current_job

from myukm.jobs.interruptions import end_quietly_when_away, no_time_out_inside_the_database
from myukm.jobs.introduction import introduce
from myukm.jobs.pausing import waits_while_paused
from myukm.logs import context, setup, shipper
from myukm.logs.redaction import hide
from myukm.queues.counters import count_jobs

P = ParamSpec("P")
R = TypeVar("R")
_apps: list[Flask] = []


def worker_app() -> Flask:
    """Return this process's app; the first call creates it."""
    from myukm import create_app, garbage

    if not _apps:
        with garbage.frozen():
            _apps.append(create_app(interfaces=False))
        setup.start(_apps[0].config, "rq")
    return _apps[0]


def set_worker_app(app: Flask) -> None:
    """Run this process's jobs in `app`, which `worker.py` created before it forked."""
    _apps[:] = [app]


@contextmanager
def no_secret_in_errors() -> Iterator[None]:
    """Redact passwords of our server addresses from a raised error.

    RQ stores the traceback of a failed job, and operators can read it.
    """
    try:
        yield
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        if hide(trace) == trace:
            raise
        raise RuntimeError(hide(f"{type(error).__name__}: {error}")) from None


@contextmanager
def logged(job: Callable[..., object], arguments: Sequence[object]) -> Iterator[None]:
    """Add job and run to the log lines of the block, and send the lines at its end, because RQ ends
    a job's process without running exit handlers."""
    current = get_current_job()
    of_run = next(iter(inspect.signature(job).parameters), "") == "run_id"
    with context.of_job(
        job=current.id if current else None, run=arguments[0] if of_run and arguments else None
    ):
        try:
            yield
        finally:
            shipper.flush()


def with_app_context(job: Callable[P, R]) -> Callable[P, R | None]:
    """Run `job` in an app context; an active context is reused (in tests).

    The result is None if the job was interrupted (see `interruptions`).
    """

    @wraps(job)
    @waits_while_paused
    def run(*args: P.args, **kwargs: P.kwargs) -> R | None:
        if has_app_context():
            return job(*args, **kwargs)
        with (
            worker_app().app_context(),
            logged(job, args),
            count_jobs(),
            no_secret_in_errors(),
            end_quietly_when_away(),
            no_time_out_inside_the_database(),
        ):
            introduce()
            return job(*args, **kwargs)
        return None

    return run
