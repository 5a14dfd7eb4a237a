"""A PostgreSQL that a round may kill."""

from collections.abc import Iterator

import pytest

from tests.support.postgresql import PostgreSQL
from tests.support.servers import open_folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server for these tests only, in place of the one that all other tests share."""
    with open_folder() as folder, PostgreSQL(folder) as server:
        yield server
