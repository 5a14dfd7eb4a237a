"""Fixtures: a fresh database for each test, an empty Valkey, and the servers of the whole run."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import flask_migrate
import pytest
import redis

import config
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from tests.support.mariadb import MariaDB
from tests.support.postgresql import PostgreSQL
from tests.support.programs import SECRET
from tests.support.servers import DatabaseServer
from tests.support.shared_server import SharedServer

S = TypeVar("S", bound=DatabaseServer)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One real Valkey for the session."""
    with start_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def valkey(valkey_server: Valkey) -> Iterator[redis.Redis]:
    """An empty Valkey."""
    client = redis.Redis.from_url(valkey_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def killable_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test alone, which the test may kill or stop."""
    with start_valkey(tmp_path / "valkey") as server:
        yield server
        if server.running():
            os.kill(server.pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("template") / "myukm.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated: Path, tmp_path: Path) -> str:
    """A fresh SQLite database."""
    path = tmp_path / "myukm.db"
    for suffix in ("", "-wal", "-shm"):
        if (source := Path(f"{migrated}{suffix}")).exists():
            shutil.copy(source, f"{path}{suffix}")
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config, run_folder: Path) -> PostgreSQL:
    """One real PostgreSQL for the run."""
    return share(PostgreSQL, pytestconfig, run_folder)


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config, run_folder: Path) -> MariaDB:
    """One real MariaDB for the run."""
    return share(MariaDB, pytestconfig, run_folder)


class ClosedAtTheEnd:
    """Closes a shared server at the end of the session.

    Not in a fixture, because waiting for the other processes of the run would count as time of a
    test; not in `pytest_unconfigure`, because xdist kills a worker that takes 10 s for that, and
    a server's folder of 2 GB would stay.
    """

    def __init__(self, shared: SharedServer[Any]) -> None:
        self._shared = shared

    @pytest.hookimpl(trylast=True)  # after pytest has torn down the fixtures
    def pytest_sessionfinish(self) -> None:
        self._shared.close()


def share(kind: type[S], pytestconfig: pytest.Config, run_folder: Path) -> S:
    """Return the run's server of this kind, with a migrated template."""
    shared = SharedServer(kind, run_folder, migrate)
    pytestconfig.pluginmanager.register(ClosedAtTheEnd(shared))
    return shared.server


def migrate(database_url: str) -> None:
    """Create all tables in an empty database."""
    app = create_app(config.load({"DATABASE_URL": database_url, "SECRET_KEY": SECRET}))
    with app.app_context():
        flask_migrate.upgrade()
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database: SQLite, or on the server that the fixture's parameter names."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue(kind).migrated_database())
