"""Work for the processor (hashing, pictures) in a thread: other requests go on meanwhile."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from gevent import get_hub
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

Result = TypeVar("Result")


def aside(function: Callable[..., Result], *args: object) -> Result:
    """Call in gevent's thread pool under gevent, directly otherwise.

    `function` holds no lock of Python's for long, and raises nothing that is to be expected: what
    escapes from the pool is printed there with its trace.
    """
    return _apply(lambda: get_hub().threadpool, function, args)


def one_at_a_time(function: Callable[..., Result], *args: object) -> Result:
    """As `aside`, for what needs much memory: the process does one of them at a time."""
    return _apply(_lone_thread, function, args)


@cache
def _lone_thread() -> ThreadPool:
    return ThreadPool(1)


def _apply(pool: Callable[[], Any], function: Callable[..., Result], args: object) -> Result:
    if is_module_patched("threading"):
        return cast(Result, pool().apply(function, args))
    return function(*cast(tuple[Any, ...], args))
