"""Figures that many ask for at once: made once, then handed out again for a moment."""

import threading
import time
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app

P = ParamSpec("P")
R = TypeVar("R")


def recent(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep a function's answer for `seconds` per app and arguments (hashable ones)."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        lock = threading.Lock()

        @wraps(function)
        def ask(*args: P.args, **kwargs: P.kwargs) -> R:
            kept: dict[Hashable, tuple[float, Any]] = current_app.extensions.setdefault(
                f"recent:{function.__module__}.{function.__name__}", {}
            )
            key = (args, tuple(sorted(kwargs.items())))
            with lock:
                made, answer = kept.get(key, (-seconds, None))
                if time.monotonic() - made >= seconds:
                    answer = function(*args, **kwargs)
                    kept[key] = (time.monotonic(), answer)
            found: R = answer
            return found

        return ask

    return decorate
