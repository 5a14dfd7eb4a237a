"""A TTL cache for expensive results that many callers need at once."""

import threading
import time
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app

P = ParamSpec("P")
R = TypeVar("R")


def ttl_cache(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Cache a function's result for `seconds`, by app and (hashable) arguments. One call at a time
    computes a result; the others wait for it."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        lock = threading.Lock()

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            cached: dict[Hashable, tuple[float, Any]] = current_app.extensions.setdefault(
                f"ttl_cache:{function.__module__}.{function.__name__}", {}
            )
            key = (args, tuple(sorted(kwargs.items())))
            with lock:
                computed_at, value = cached.get(key, (-seconds, None))
                if time.monotonic() - computed_at >= seconds:
                    value = function(*args, **kwargs)
                    cached[key] = (time.monotonic(), value)
            result: R = value
            return result

        return call

    return decorate
