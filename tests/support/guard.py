"""Finds Valkey calls inside a transaction, because a slow Valkey would prolong its locks."""

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

# Every command to Valkey, enqueueing included, passes one of these methods.
METHODS = (
    (redis.Redis, "execute_command"),
    (Pipeline, "execute"),
    (Pipeline, "immediate_execute_command"),
)


@contextmanager
def no_valkey_in_a_transaction() -> Iterator[None]:
    """Raise `AssertionError` at the end of the block if Valkey was called in a `transaction()`.

    It is not raised by the call itself, because the program may handle an error there.
    """
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in METHODS:
            patch.setattr(owner, name, _recording(getattr(owner, name), found))
        yield
    assert not found, "\n".join(found)


def _recording(method: Callable[..., Any], found: list[str]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if has_app_context() and is_in_transaction():
            stack = "".join(traceback.format_stack(limit=12))
            found.append(f"{method.__qualname__}{args[1:2]} inside a transaction:\n{stack}")
        return method(*args, **kwargs)

    return call
