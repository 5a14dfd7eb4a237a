"""Which database and which code a process works with, so that the doctor notices a stranger."""

import contextlib
import hashlib
from functools import cache
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from myukm.extensions import db
from myukm.queues.workers import DATABASE_FIELD, VERSION_FIELD

CODE = Path(__file__).parents[1]


def database_id() -> str:
    """Return the random id of this process's database."""
    known: dict[str, str] = current_app.extensions.setdefault("installation", {})
    if "id" not in known:
        # As plain SQL: a worker may ask nothing else, and the first query of a process by the ORM
        # copies twice as much of the memory that it shares with the other processes.
        with db.engine.connect() as connection:
            known["id"] = connection.exec_driver_sql("SELECT id FROM installation").scalar_one()
    return known["id"]


def worker_fields() -> dict[str, str]:
    """Return what a worker's row says of its database and code; nothing while the database is
    away."""
    with contextlib.suppress(SQLAlchemyError):
        return {DATABASE_FIELD: database_id(), VERSION_FIELD: code_version()}
    return {}


@cache
def code_version() -> str:
    """Return a digest of the program's code. Call it first at the start of a process that lives on,
    because the files may be newer than what it loaded."""
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
