"""A hung lane is reported and killed, and the run continues."""

import shlex
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask import Flask

from devtools.simulator import Simulator
from myukm.domain.sync import commands
from myukm.ops.findings import workers
from tests.jobs.conftest import STUDENTS
from tests.ops.test_doctor import examine
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.workers import gone, job_process, kill, pid_of

Start = Callable[..., Any]


def hang(campus: Flask, api: Simulator, valkey: redis.Redis, start: Start, *argv: str) -> int:
    """Stop the process of a lane at work and delete its heartbeats; return the process id."""
    api.set(latency_ms="150..200")
    with campus.app_context():
        commands.start(TREASURER)
    start(*argv, "sync-pembayaran")
    sync.wait_for_processed(campus, 50)
    pid = job_process(pid_of(campus, "sync-pembayaran"))
    kill(pid, signal.SIGSTOP)
    api.set(latency_ms="1")
    for key in valkey.keys("myukm:job:beat:*"):
        valkey.delete(key)
    return pid


def hung_findings(campus: Flask) -> list[dict[str, Any]]:
    return [each for each in examine(campus)["findings"] if each["code"] == "job_hung"]


def test_the_cure_for_plain_rq_works_as_it_is_printed(
    campus: Flask,
    payment_api: Simulator,
    valkey: redis.Redis,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "hung_seconds", lambda _settings: 1)
    pid = hang(campus, payment_api, valkey, start, "rq", "worker")
    found = wait_until(lambda: hung_findings(campus), 30, "the finding")[0]
    assert found["level"] == "broken"
    subprocess.run(shlex.split(found["cure"].partition(": ")[2]), check=True)
    wait_until(
        lambda: gone(pid) and not hung_findings(campus), 30, "the finding ends with its cause"
    )
    assert sync.wait_for_end(campus)["success"] == STUDENTS


def test_worker_py_kills_a_hung_lane(
    campus: Flask, payment_api: Simulator, valkey: redis.Redis, start: Start
) -> None:
    pid = hang(campus, payment_api, valkey, start, "python", "worker.py")
    wait_until(lambda: gone(pid), 90, "killed")
    assert sync.wait_for_end(campus)["success"] == STUDENTS
