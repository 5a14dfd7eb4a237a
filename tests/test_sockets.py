"""Databases and Valkey by local sockets: every part works with them, and no password is printed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
import requests

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from myukm.embedded_valkey import command
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until

PASSWORD = "geheim-sekali"


@pytest.fixture
def by_sockets(database_url: str, settings: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """Settings for PostgreSQL by its socket, and for a Valkey with a password and only a socket."""
    place = urlsplit(database_url)
    with psycopg.connect(database_url) as connection:
        (folder,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    address = f"postgresql://postgres@{place.path}?host={folder}&port={place.port}"
    settings["DATABASE_URL"] = address
    socket = tmp_path / "valkey.sock"
    settings["REDIS_URL"] = f"unix://:{PASSWORD}@{socket}?db=0"
    with valkey_on(socket, "--requirepass", PASSWORD):
        yield


@contextmanager
def valkey_on(socket: Path, *options: str) -> Iterator[None]:
    """A Valkey that listens on a socket."""
    base = command(socket.parent, any_free())
    child = ManagedProcess([*base, "--port", "0", "--unixsocket", str(socket), *options])
    try:
        wait_until(socket.exists, 30, "the socket")
        yield
    finally:
        child.kill()


@pytest.mark.usefixtures("by_sockets")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_all_processes_work_with_sockets_and_print_no_password(
    start: Callable[..., Program], settings: dict[str, str], tmp_path: Path
) -> None:
    worker = start("python", "worker.py")
    web = WebServer(tmp_path / "web.log", settings)
    try:
        ping = start("flask", "queue", "ping", "--timeout", "20")
        assert ping.child.wait(40) == 0, ping.output() + worker.output()
        ready = requests.get(f"{web.url}/readyz", timeout=5)
        assert (ready.status_code, "degraded" in ready.text) == (200, False)
        wrong = {"nim": "1", "password": "salah"}
        login = [requests.post(f"{web.url}/login", json=wrong, timeout=5) for _ in range(2)]
        assert {answer.status_code for answer in login} == {401}
    finally:
        web.kill()
    doctor = start("flask", "queue", "doctor", "--json")
    assert doctor.child.wait(20) in (0, 1), doctor.output()
    output = ping.output() + doctor.output() + worker.output() + web.output()
    assert PASSWORD not in output
    assert json.loads(doctor.output())["status"] in ("ok", "warning")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_valkey_that_refuses_names_of_connections_has_workers_all_the_same(
    start: Callable[..., Program], settings: dict[str, str], valkey: redis.Redis
) -> None:
    rules = ["on", f">{PASSWORD}", "~*", "&*", "+@all", "-client|setname"]
    valkey.execute_command("ACL", "SETUSER", "myukm", "reset", *rules)
    place = urlsplit(settings["REDIS_URL"]).netloc
    settings["REDIS_URL"] = f"redis://myukm:{PASSWORD}@{place}/0"
    worker = start("python", "worker.py")
    ping = start("flask", "queue", "ping", "--timeout", "20")
    assert ping.child.wait(40) == 0, ping.output() + worker.output()
    doctor = start("flask", "queue", "doctor", "--json")
    doctor.child.wait(20)
    found = {each["code"] for each in json.loads(doctor.output())["findings"]}
    assert "unnamed_connections" in found
    assert not {"no_worker", "worker_dead"} & found, doctor.output()
    assert "Traceback" not in worker.output()
