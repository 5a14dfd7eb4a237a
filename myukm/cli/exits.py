"""How commands end: what went wrong in one line on standard error, and the exit code for it."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from flask.cli import AppGroup
from flask_babel import gettext as _
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from myukm.errors import DomainError

REFUSED, UNREACHABLE = 1, 5


class CommandGroup(AppGroup):
    """A group of commands whose errors are a line for a person and a code for a script."""

    def command(  # type: ignore[override]  # always called with a name
        self, *args: Any, **kwargs: Any
    ) -> Callable[..., click.Command]:
        """Return the decorator that makes a function a command of this group."""
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(told(function))


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command; exit 1 for what the program refuses, 5 when a server is away."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            fail(str(error), REFUSED)
        except OperationalError as error:
            fail(_("Basis data tidak menjawab: %(why)s", why=error.orig), UNREACHABLE)
        except RedisError as error:
            fail(_("Valkey tidak menjawab: %(why)s", why=error), UNREACHABLE)

    return run


def fail(message: str, code: int) -> NoReturn:
    """Print `message` on standard error and exit with `code`."""
    click.echo(" ".join(message.split()), err=True)
    sys.exit(code)
