"""Migrations. A separate module, because Alembic is slow to import and only commands need it."""

from flask_migrate import Migrate

from myukm.db.versions import MIGRATIONS

migrate = Migrate(directory=str(MIGRATIONS), render_as_batch=True)
