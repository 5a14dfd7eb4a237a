"""Migrations. A separate module, because Alembic is slow to import and jobs do not need it."""

from pathlib import Path

from flask_migrate import Migrate

migrate = Migrate(directory=str(Path(__file__).parents[1] / "migrations"), render_as_batch=True)
