"""Migrations. A separate module, because Alembic is slow to import and jobs do not need it."""

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from flask_migrate import Migrate

migrate = Migrate(directory=str(Path(__file__).parents[1] / "migrations"), render_as_batch=True)


@cache
def newest_migration() -> str:
    """Return the number of the program's newest migration."""
    (head,) = ScriptDirectory(str(migrate.directory)).get_heads()
    return head


@cache
def known_migrations() -> frozenset[str]:
    """Return every revision that this program knows; a database of a newer program has another."""
    scripts = ScriptDirectory(str(migrate.directory)).walk_revisions()
    return frozenset(script.revision for script in scripts)
