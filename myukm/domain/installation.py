"""Which database and which code a process uses, so that the doctor finds workers that use another
database or other code."""

import contextlib
import hashlib
from functools import cache
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from myukm.extensions import db
from myukm.queues.workers import DATABASE_FIELD, VERSION_FIELD

PROGRAM = Path(__file__).parents[2]
# What a process of web or worker loads. Static files are not, because only browsers do.
LOADED = (
    "config.py",
    "rq_settings.py",
    "worker.py",
    "myukm/**/*.py",
    "myukm/templates/**/*.html",
    "myukm/translations/**/*.mo",
)


def database_id() -> str:
    """Return the random id of this process's database."""
    known: dict[str, str] = current_app.extensions.setdefault("installation", {})
    if "id" not in known:
        # Plain SQL, because this may be the only query of a worker process, and a first query by
        # the ORM would copy twice as much of the memory that the process shares with its parent.
        with db.engine.connect() as connection:
            known["id"] = connection.exec_driver_sql("SELECT id FROM installation").scalar_one()
    return known["id"]


def worker_fields() -> dict[str, str]:
    """Return the fields by which a worker's hash in Valkey names its database and its code; none
    while the database is unreachable."""
    with contextlib.suppress(SQLAlchemyError):
        return {DATABASE_FIELD: database_id(), VERSION_FIELD: code_version()}
    return {}


@cache
def code_version() -> str:
    """Return a digest of the program's code, templates and translations.

    A long-lived process calls it once at its start, because later the files may be newer than the
    code that the process has loaded.
    """
    digest = hashlib.sha256()
    for pattern in LOADED:
        for path in sorted(PROGRAM.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
