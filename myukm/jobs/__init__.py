"""RQ jobs: each is one call of one domain function, inside the app.

The app is made once per process, on the first job: plain `rq worker` needs nothing else.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from flask import Flask, has_app_context

P = ParamSpec("P")
R = TypeVar("R")


@cache
def worker_app() -> Flask:
    """Return this process's app, made on the first call."""
    from myukm import create_app

    return create_app()


def in_app(job: Callable[P, R]) -> Callable[P, R]:
    """Run `job` inside the app's context, or in the one that is already there (tests)."""

    @wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if has_app_context():
            return job(*args, **kwargs)
        with worker_app().app_context():
            return job(*args, **kwargs)

    return run
