"""The database's migrations. Whoever only runs jobs does without: Alembic is slow to import."""

from pathlib import Path

from flask_migrate import Migrate

migrate = Migrate(directory=str(Path(__file__).parents[1] / "migrations"), render_as_batch=True)
