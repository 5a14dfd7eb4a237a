"""Finds calls of Valkey inside a transaction: they would hold its locks while Valkey is slow."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest
import redis
from flask import has_app_context
from redis.client import Pipeline

from myukm.db.session import is_in_transaction

# All that goes to Valkey, enqueueing too, passes one of these.
METHODS = (
    (redis.Redis, "execute_command"),
    (Pipeline, "execute"),
    (Pipeline, "immediate_execute_command"),
)


@contextmanager
def no_valkey_in_a_transaction() -> Iterator[None]:
    """Raise `AssertionError` in the end for each call that was made inside a `transaction()`.

    It is raised in the end because the program answers errors of what follows a commit itself.
    """
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in METHODS:
            patch.setattr(owner, name, _noting(getattr(owner, name), found))
        yield
    assert not found, "\n".join(found)


def _noting(method: Callable[..., Any], found: list[str]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if has_app_context() and is_in_transaction():
            stack = "".join(traceback.format_stack(limit=12))
            found.append(f"{method.__qualname__}{args[1:2]} inside a transaction:\n{stack}")
        return method(*args, **kwargs)

    return call
