"""One TLS context for all connections to MariaDB."""

from functools import cache
from ssl import SSLContext

from pymysql.connections import Connection

_create_context = Connection._create_ssl_ctx


@cache
def _context_without_options() -> SSLContext:
    context: SSLContext = _create_context(None, {})
    return context


def share_context() -> None:
    """Let connections without TLS settings in `DATABASE_URL` share one context.

    PyMySQL creates a context for each connection, which loads all certificate authorities of the
    machine and takes longer than the rest of connecting. Without TLS settings these authorities are
    not even used, because PyMySQL then verifies no certificate. The context is created here, so
    that the processes of jobs, which are forks of their worker, inherit it.
    """
    _context_without_options()
    Connection._create_ssl_ctx = lambda connection, options: (
        _create_context(connection, options) if options else _context_without_options()
    )
