"""Alembic's environment: migrations run on the app's own engine, in a write transaction."""

import sys

from alembic import context
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError

from myukm.cli.exits import UNREACHABLE

db = current_app.extensions["migrate"].db


def render_item(kind, item, autogen_context):
    """Name our column types by module, so that migrations can import them."""
    if kind == "type" and type(item).__module__.startswith("myukm."):
        autogen_context.imports.add("import myukm.database")
        return f"{type(item).__module__}.{type(item).__name__}()"
    return False


def connect():
    """Return a connection that writes; end with one line when the database is away."""
    try:
        return db.engine.connect().execution_options(writes=True)
    except OperationalError as error:
        print(_("Basis data tidak menjawab: %(why)s", why=str(error.orig).splitlines()[0]), file=sys.stderr)
        sys.exit(UNREACHABLE)


with connect() as connection:
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
