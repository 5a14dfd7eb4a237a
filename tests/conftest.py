"""What the tests share: real parts, a fresh database for each, and named people."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import flask_migrate
import pytest
import redis
import requests
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

import config
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from myukm.domain import flood
from myukm.web.http.access import today
from tests.support import people as cast
from tests.support.guard import no_valkey_in_a_transaction
from tests.support.programs import Program, WebServer
from tests.support.servers import DatabaseServer, MariaDB, PostgreSQL
from tests.support.shared_server import SharedServer
from tests.support.url_builders import compile_url_builders_once

SECRET = "a secret of the tests, long enough to pass"
S = TypeVar("S", bound=DatabaseServer)
LONGEST = ("tests/faults/", "tests/jobs/")

compile_url_builders_once()
# Three hundred programs of ours start in a run, and each would compile all of our modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process works on one alone in the end, and try a
    promise in seconds again when other processes of the run may have been in its way."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            if item.get_closest_marker("timing"):
                item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(autouse=True)
def _no_valkey_in_a_transaction() -> Iterator[None]:
    """Every test fails for a call of Valkey inside a transaction."""
    with no_valkey_in_a_transaction():
        yield


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


def share(kind: type[S], pytestconfig: pytest.Config, run_folder: Path) -> S:
    """Return the run's server of this kind, with a migrated template.

    Given back after the last test, not in a fixture: a test's time would run meanwhile.
    """
    shared = SharedServer(kind, run_folder, migrate)
    pytestconfig.add_cleanup(shared.close)
    return shared.server


def migrate(database_url: str) -> None:
    """Make all tables in an empty database."""
    app = create_app(config.load({"DATABASE_URL": database_url, "SECRET_KEY": SECRET}))
    with app.app_context():
        flask_migrate.upgrade()
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database: SQLite, or one of the server that the parameter names."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue(kind).migrated_database())


every_database = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql", "mariadb"], indirect=True
)


@pytest.fixture
def settings(database_url: str, valkey: redis.Redis, valkey_server: Valkey) -> dict[str, str]:
    """The environment of this test's programs; change it before `app` is made."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_server.url,
        "SECRET_KEY": SECRET,
    }


@pytest.fixture
def app(
    settings: dict[str, str], run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The app on a fresh database; jobs that run in this process find the same settings."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    made = create_app(config.load(settings))
    # Compiling the templates of a page takes longer than rendering it.
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(run_folder))
    yield made
    with made.app_context():
        made.extensions["sqlalchemy"].engine.dispose()
    made.extensions["valkey"].connection_pool.disconnect()


@pytest.fixture
def no_flood_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One person does in this process what a crowd does: acts are not counted."""
    monkeypatch.setattr(flood, "WITHIN_MILLISECONDS", 0)


@pytest.fixture
def people(app: Flask) -> dict[str, int]:
    """Everybody's account id: admin, bendahara, operator, member, friend, outsider."""
    with app.app_context():
        return cast.create_accounts()


@pytest.fixture
def client_as(app: Flask, people: dict[str, int]) -> Callable[[str], FlaskClient]:
    """`client_as("member")` is a browser where that person is logged in; "nobody" is not."""

    def make(who: str) -> FlaskClient:
        client = app.test_client()
        if who != "nobody":
            with app.app_context():
                token = cast.token_for(people[who])
            with client.session_transaction() as session:
                session["_user_id"] = token
                session["_fresh"] = True
                session["day"] = today()
        return client

    return make


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The payment API, without latency; steer it with `.set(...)`."""
    with Simulator(students=200) as server:
        yield server


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[Callable[..., Program]]:
    """`start("rq", "worker", "high")` runs a real command with this test's settings."""
    running: list[Program] = []

    def run(*argv: str, **env: str) -> Program:
        log = tmp_path / f"program-{len(running)}.log"
        running.append(Program(log, {**settings, **env}, *argv))
        return running[-1]

    yield run
    for program in running:
        program.kill()


@pytest.fixture
def web(settings: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[WebServer]:
    """A real gunicorn with one worker."""
    server = WebServer(tmp_path / "web.log", settings)
    yield server
    server.kill()


@pytest.fixture
def session_cookie(client_as: Callable[[str], FlaskClient]) -> Callable[[str], tuple[str, str]]:
    """`session_cookie("member")` logs a person in and returns the cookie's name and value."""

    def make(who: str) -> tuple[str, str]:
        client = client_as(who)
        name = client.application.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        assert cookie
        return name, cookie.value

    return make


@pytest.fixture
def session_as(
    web: WebServer, session_cookie: Callable[[str], tuple[str, str]]
) -> Iterator[Callable[[str], requests.Session]]:
    """`session_as("member")` is a logged-in HTTP session on the real web server."""
    opened: list[requests.Session] = []

    def log_in(who: str) -> requests.Session:
        session = requests.Session()
        session.cookies.set(*session_cookie(who))
        opened.append(session)
        return session

    yield log_in
    for session in opened:
        session.close()
