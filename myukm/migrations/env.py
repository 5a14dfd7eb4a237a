"""Alembic's environment: migrations run in a write transaction, without time limits."""

import fcntl
import os
import sys
from contextlib import contextmanager

from alembic import context
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError

from myukm.cli.errors import UNREACHABLE
from myukm.db.engine import migration_engine

db = current_app.extensions["migrate"].db
engine = migration_engine(current_app.config["SQLALCHEMY_DATABASE_URI"])
DAY = 86400
LOCK = 1297698123


def render_item(kind, item, autogen_context):
    """Name our column types by module, so that migrations can import them."""
    if kind == "type" and type(item).__module__.startswith("myukm."):
        autogen_context.imports.add("import myukm.db.session")
        return f"{type(item).__module__}.{type(item).__name__}()"
    return False


def connect():
    """Return a connection that writes. If the database is away, print one line and exit."""
    try:
        return engine.connect().execution_options(writes=True)
    except OperationalError as error:
        print(_("Basis data tidak menjawab: %(why)s", why=str(error.orig).splitlines()[0]), file=sys.stderr)
        sys.exit(UNREACHABLE)


@contextmanager
def one_at_a_time():
    """Hold a lock of this database, because two upgrades at once would both do each step.

    The lock ends with the process: on SQLite it is on the folder of the file, on MariaDB of the
    connection, on PostgreSQL of a transaction, because behind a pooler each one may get another session.
    """
    if engine.dialect.name == "sqlite":
        folder = os.open(os.path.dirname(engine.url.database or "") or ".", os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
        return
    with connect() as holder, holder.begin():
        if engine.dialect.name == "postgresql":
            holder.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        else:
            holder.exec_driver_sql(f"SELECT GET_LOCK(CONCAT('myukm ', DATABASE()), {DAY})")
        yield


def migrate():
    """Run the migrations that are asked for."""
    with one_at_a_time(), connect() as connection:
        if connection.dialect.name == "mysql":
            connection.exec_driver_sql("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


try:
    migrate()
finally:
    engine.dispose()  # MariaDB's lock ends with its connection
