"""The base class of all models, typed so that mypy knows their columns."""

from typing import TYPE_CHECKING

from sqlalchemy.orm import DeclarativeBase

from myukm.extensions import db

if TYPE_CHECKING:

    class Model(DeclarativeBase):
        """The type that mypy sees in place of Flask-SQLAlchemy's `db.Model`."""
else:
    Model = db.Model
