"""Which database and which code a process works with, so that the doctor notices a stranger."""

import hashlib
from functools import cache
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from myukm.extensions import db
from myukm.models import Installation

CODE = Path(__file__).parents[1]


def database_id() -> str:
    """Return the random id of this process's database."""
    known: dict[str, str] = current_app.extensions.setdefault("installation", {})
    if "id" not in known:
        known["id"] = db.session.scalars(select(Installation.id)).one()
        db.session.rollback()
    return known["id"]


@cache
def code_version() -> str:
    """Return a digest of the program's code. Call it first at the start of a process that lives on,
    because the files may be newer than what it loaded."""
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
