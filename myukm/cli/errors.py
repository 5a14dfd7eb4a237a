"""Errors of commands: one line on standard error, and an exit code."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from flask_babel import gettext as _
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NoAnswer
from sqlalchemy.exc import DBAPIError, OperationalError

from myukm.errors import DomainError
from myukm.logs.redaction import hide
from myukm.ops.findings import database
from myukm.ops.findings.valkey import wants_password

REFUSED, FAILURES, UNREACHABLE = 1, 3, 5


def exit_on_error(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: exit 1 on a `DomainError`, 5 when a server cannot be reached or
    refuses to work."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            fail(str(error), REFUSED)
        except (DBAPIError, RedisError) as error:
            if not (why := server_trouble(error)):
                raise
            fail(why, UNREACHABLE)

    return run


def server_trouble(error: DBAPIError | RedisError) -> str | None:
    """Return the message for a server that cannot be reached or refuses to work. None for a wrong
    statement, which needs the traceback."""
    return valkey_trouble(error) if isinstance(error, RedisError) else database_trouble(error)


def database_trouble(error: DBAPIError) -> str | None:
    """Return the message for a database that is down or not migrated. None for any other error,
    because its cause is a wrong statement, which needs the traceback."""
    if database.is_outdated():
        return str(
            _(
                "Tabel basis data belum ada atau bukan dari versi program ini. "
                "Jalankan: %(command)s",
                command="./run db upgrade",
            )
        )
    if isinstance(error, OperationalError):
        return str(_("Basis data tidak menjawab: %(why)s", why=error.orig))
    return None


def valkey_trouble(error: RedisError) -> str:
    """Return the message for a Valkey that does not answer, or that refuses."""
    if isinstance(error, (NotConnected, NoAnswer)) and not wants_password(error):
        return str(_("Valkey tidak menjawab: %(why)s", why=error))
    return str(_("Valkey menolak: %(why)s", why=error))


def fail(message: object, code: int) -> NoReturn:
    """Print `message` on standard error and exit with `code`."""
    click.echo(one_line(message), err=True)
    sys.exit(code)


def one_line(message: object) -> str:
    """Return `message` on one line, without secrets."""
    return " ".join(hide(str(message)).split())
