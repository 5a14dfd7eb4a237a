"""A session of another program that holds the lock of a row."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.engine import Connection

from myukm.models import Ukm
from tests.support.people import UKM

LOCK = select(Ukm.id).where(Ukm.code == UKM).with_for_update()


@contextmanager
def held_row(app: Flask) -> Iterator[Connection]:
    """Lock the UKM's row in a session that has no time-out and stays silent during the block."""
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(LOCK)
        yield connection
