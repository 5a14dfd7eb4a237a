"""Fixtures of all tests: real parts, a fresh database for each test, and named people."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import requests
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from xdist.remote import Producer

import config
from devtools import ports
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey
from myukm import create_app
from myukm.domain import flood
from myukm.logs import redaction
from myukm.web.http.access import today
from tests.support.compile_once import compile_once
from tests.support.guard import no_valkey_in_a_transaction
from tests.support.people import create_accounts, token_for
from tests.support.programs import SECRET, Program, WebServer
from tests.support.two_queues import TwoQueues, rank

pytest_plugins = ["tests.support.databases"]
BACKGROUND_THREADS = {"probe", "doctor", "alerts", "live-hub", "batcher"}
used_engines: set[Engine] = set()

compile_once()
if "PYTEST_XDIST_WORKER" in os.environ:  # no two processes choose the same port
    number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    ports.NEVER_OUTGOING = ports.NEVER_OUTGOING[number::count]
# A shell ignores SIGINT and SIGQUIT in a run that it starts in the background, and so would each
# program that a test starts and interrupts.
for signal_number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(signal_number) == signal.SIG_IGN:
        signal.signal(signal_number, signal.SIG_DFL)
# Otherwise each of the 300 programs that a run starts would compile all of our modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files. With several processes retry tests with the mark `timing`,
    because the other processes may slow them down."""
    items.sort(key=lambda item: rank(item.nodeid))
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            if item.get_closest_marker("timing"):
                item.add_marker(pytest.mark.flaky(reruns=2))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TwoQueues:
    """Return what distributes the tests (pytest-xdist's hook)."""
    return TwoQueues(config, log)


@pytest.fixture(autouse=True)
def _no_valkey_in_a_transaction() -> Iterator[None]:
    """Fail every test that calls Valkey inside a transaction."""
    with no_valkey_in_a_transaction():
        yield


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the set of secrets to redact, because "wrong" may be a password in one test only."""
    monkeypatch.setattr(redaction, "_secrets", set(redaction._secrets))


@pytest.fixture(autouse=True)
def _no_open_connection() -> Iterator[None]:
    """Close the connections of the test's apps: an open connection causes a warning when it is
    garbage-collected, which would fail a later test."""
    yield
    while used_engines:
        used_engines.pop().dispose()


@event.listens_for(Engine, "engine_connect")
def _note_engine(connection: Connection) -> None:
    used_engines.add(connection.engine)


every_database = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql", "mariadb"], indirect=True
)


@pytest.fixture
def settings(
    database_url: str, valkey: redis.Redis, valkey_server: Valkey, tmp_path: Path
) -> dict[str, str]:
    """The environment of this test's programs; change it before `app` is created."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_server.url,
        "SECRET_KEY": SECRET,
        "FILES_URL": f"file://{tmp_path / 'files'}",
    }


@pytest.fixture
def app(
    settings: dict[str, str], run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The app on a fresh database; jobs that run in this process have the same settings."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    made = create_app(config.load(settings))
    # Compiling the templates of a page takes longer than rendering it.
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(run_folder))
    yield made
    made.extensions["live_hub"].close()
    join_background_threads()
    made.extensions["valkey"].connection_pool.disconnect()


def join_background_threads() -> None:
    """Wait for the program's threads: after the test they would write to its closed log and open
    connections that nobody closes."""
    for thread in threading.enumerate():
        if thread.name in BACKGROUND_THREADS:
            thread.join(30)


@pytest.fixture
def no_flood_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the flood limits off in this process, so that one person can act for a crowd."""
    monkeypatch.setattr(flood, "WITHIN_MILLISECONDS", 0)


@pytest.fixture
def people(app: Flask) -> dict[str, int]:
    """Everybody's account id: admin, bendahara, operator, member, friend, outsider."""
    with app.app_context():
        return create_accounts()


@pytest.fixture
def client_as(app: Flask, people: dict[str, int]) -> Callable[[str], FlaskClient]:
    """`client_as("member")` is a client logged in as that person; "nobody" is not logged in."""

    def make(who: str) -> FlaskClient:
        client = app.test_client()
        if who != "nobody":
            with app.app_context():
                token = token_for(people[who])
            with client.session_transaction() as session:
                session["_user_id"] = token
                session["_fresh"] = True
                session["day"] = today()
        return client

    return make


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The payment API, without latency; control it with `.set(...)`."""
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
