"""RQ jobs: each is one call of one domain function, inside the app.

The app is made once per process, on the first job: plain `rq worker` needs nothing else.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, has_app_context

from myukm.addresses import hide
from myukm.queues.counters import count_jobs

P = ParamSpec("P")
R = TypeVar("R")
_apps: list[Flask] = []


def worker_app() -> Flask:
    """Return this process's app, made on the first call."""
    from myukm import create_app

    if not _apps:
        _apps.append(create_app(interfaces=False))
    return _apps[0]


def set_worker_app(app: Flask) -> None:
    """Let the jobs of this process run in `app`, which was made before."""
    _apps[:] = [app]


@contextmanager
def no_secret_in_errors() -> Iterator[None]:
    """Let an error whose trace holds a secret of our addresses pass without it.

    RQ stores the trace of a failed job, where operators read it.
    """
    try:
        yield
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        if hide(trace) == trace:
            raise
        raise RuntimeError(hide(f"{type(error).__name__}: {error}")) from None


def with_app_context(job: Callable[P, R]) -> Callable[P, R]:
    """Run `job` inside the app's context, or in the one that is already there (tests)."""

    @wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if has_app_context():
            return job(*args, **kwargs)
        with worker_app().app_context(), count_jobs(), no_secret_in_errors():
            return job(*args, **kwargs)

    return run
