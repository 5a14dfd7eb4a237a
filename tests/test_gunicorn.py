"""The web server's own start and end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import psutil
import pytest
import requests
from flask import Flask

import config
from devtools.ports import any_free
from tests.support.programs import ROOT, SECRET, Program, WebServer
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MYUKM_LANG", "fr", "'fr' bukan salah satu dari id, en"),
        ("MYUKM_BIND", "x:abc", "'x:abc' harus berbentuk alamat:port, seperti 127.0.0.1:5000"),
        ("WEB_CONCURRENCY", "0", "'0' bukan bilangan bulat dari 1 sampai 1000"),
    ],
)
def test_wrong_settings_stop_the_start_with_one_line(
    start: Callable[..., Program], name: str, value: str, said: str
) -> None:
    program = start("gunicorn", "wsgi:app", **{"MYUKM_BIND": "127.0.0.1:0", name: value})
    assert program.child.wait(60) == 2
    lines = [line for line in program.output().splitlines() if not line.startswith("[")]
    assert lines == [f"myukm: {name}: {said}"]


def test_a_number_that_gunicorn_itself_cannot_read_is_refused_before_it_starts() -> None:
    command = [ROOT / "run", "web"]
    env = os.environ | {"WEB_CONCURRENCY": "two", "MYUKM_LANG": "en"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "WEB_CONCURRENCY: 'two' is not a whole number\n"


@pytest.mark.parametrize("bind", ["unix:/run/myukm.sock", "[::1]:5000,127.0.0.1:5000", "web:80"])
def test_each_kind_of_address_is_accepted(bind: str) -> None:
    assert config.load({"MYUKM_BIND": bind, "SECRET_KEY": SECRET})["MYUKM_BIND"] == bind


Connect = Callable[[], HTTPConnection]


@pytest.fixture
def connect(web: WebServer) -> Iterator[Connect]:
    """Return a function that opens a kept-alive connection on which one request was answered."""
    with ExitStack() as stack:

        def make() -> HTTPConnection:
            connection = HTTPConnection(web.url.removeprefix("http://"), timeout=10)
            stack.callback(connection.close)
            assert get(connection, "/healthz")[1]["Connection"] == "keep-alive"
            return connection

        yield make


@pytest.mark.timing("gone within 2.5 s of SIGTERM")
def test_a_kept_alive_connection_does_not_delay_the_end(web: WebServer, connect: Connect) -> None:
    kept = connect()
    began = time.monotonic()
    os.kill(web.child.pid, signal.SIGTERM)
    assert web.child.wait(10) == 0
    assert time.monotonic() - began < 2.5
    assert kept.sock.recv(1) == b""


@pytest.mark.timing("for a second after SIGTERM kept-alive connections are served")
def test_after_sigterm_answers_close_their_connection_and_streams_are_refused(
    web: WebServer, connect: Connect, session_cookie: Callable[[str], tuple[str, str]]
) -> None:
    kept = [connect() for _ in range(30)]
    cookie = {"Cookie": "=".join(session_cookie("member"))}
    os.kill(web.child.pid, signal.SIGTERM)
    wait_until(lambda: get(kept.pop(), "/readyz")[0] == 503, 1, "the process closes")
    status, headers = get(kept.pop(), "/ukm", cookie)
    assert (status, headers["Connection"]) == (200, "close")
    status, headers = get(kept.pop(), "/stream", cookie)
    assert (status, headers["Connection"], headers["Retry-After"]) == (503, "close", "1")


def get(
    connection: HTTPConnection, path: str, headers: dict[str, str] | None = None
) -> tuple[int, HTTPMessage]:
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers


def test_a_web_server_may_open_as_many_streams_as_the_system_allows() -> None:
    code = (
        "import resource, runpy; limit = resource.RLIMIT_NOFILE; "
        "most = resource.getrlimit(limit)[1]; resource.setrlimit(limit, (256, most)); "
        "runpy.run_path('gunicorn.conf.py'); print(resource.getrlimit(limit) == (most, most))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == "True"


def test_the_web_server_answers_after_a_warm_restart(web: WebServer, connect: Connect) -> None:
    os.kill(web.child.pid, signal.SIGHUP)
    wait_until(lambda: "Worker exiting" in web.output(), 30, "the old worker has gone")
    assert get(connect(), "/readyz")[0] == 200


def test_a_process_that_is_replaced_after_an_update_reports_the_version_that_it_runs(
    app: Flask, settings: dict[str, str], tmp_path: Path
) -> None:
    """It is a fork of the process that loaded the old code."""
    for name in ("config.py", "gunicorn.conf.py", "wsgi.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "myukm", tmp_path / "myukm")
    env = settings | {"MYUKM_BIND": f"127.0.0.1:{any_free()}", "WEB_CONCURRENCY": "1"}
    program = Program(tmp_path / "log", env, "gunicorn", "wsgi:app", cwd=tmp_path, fork=False)

    def version() -> str:
        try:
            text = requests.get(f"http://{env['MYUKM_BIND']}/metrics", timeout=5).text
        except (requests.ConnectionError, requests.Timeout):
            return ""
        return "".join(re.findall(r"myukm_build_info{.*version=\"(\w+)\"}", text))

    try:
        before = wait_until(version, 60, "it answers")
        with (tmp_path / "myukm/errors.py").open("a") as changed:
            changed.write("# newer\n")
        [master] = psutil.Process(program.child.pid).children()
        [process] = master.children()
        process.kill()
        wait_until(lambda: process not in master.children(), 30, "it has ended")
        assert wait_until(version, 60, "another process answers") == before
    finally:
        program.kill()
