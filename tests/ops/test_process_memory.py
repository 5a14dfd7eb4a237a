"""A child of the worker or a web process that takes too much memory is named and cured."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from flask import Flask

from myukm.ops import process_registry
from tests.ops.findings.test_cures import commands, type_command
from tests.ops.test_doctor import named
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until

LIMIT = "380"


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {"PROCESS_MEMORY_MB": LIMIT}


def test_a_child_of_the_worker_that_takes_too_much(
    app: Flask, start: Callable[..., Program], tmp_path: Path
) -> None:
    fault = tmp_path / "take"
    start("python", "-m", "tests.support.greedy_worker", str(fault))
    before = wait_until(lambda: running(app), 30, "it runs")
    assert not named(app, "process_memory")
    fault.touch()
    [found] = wait_until(lambda: named(app, "process_memory"), 30, "it is named")
    assert found["message"].startswith("Proses worker ")
    fault.unlink()
    [restart] = commands(found["cure"])
    type_command(app, start, restart)
    wait_until(lambda: running(app) - before, 30, "it runs again")
    wait_until(lambda: not named(app, "process_memory"), 30, "it goes with its cause")


def running(app: Flask) -> set[int]:
    """Return the ids of the processes that sent a heartbeat lately."""
    with app.app_context():
        return {each.pid for each in process_registry.living(int(time.time()))}


def test_a_web_process_that_takes_too_much(
    app: Flask, settings: dict[str, str], tmp_path: Path
) -> None:
    web = WebServer(tmp_path / "web.log", settings, app="tests.support.greedy_web:app")
    try:
        assert requests.get(f"{web.url}/take", timeout=30).ok
        [found] = wait_until(lambda: named(app, "process_memory"), 30, "it is named")
        assert found["message"].startswith("Proses web ")
        [kill] = re.findall(r"kill \d+", found["cure"])
        subprocess.run(kill.split(), check=True)
        wait_until(lambda: not named(app, "process_memory"), 30, "it goes with its cause")
        assert requests.get(f"{web.url}/login", timeout=30).ok, "gunicorn has replaced it"
    finally:
        web.kill()
