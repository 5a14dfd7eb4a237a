"""Which workers serve a queue: plain RQ and `worker.py`, alive, killed, frozen, unregistered."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from flask import Flask

import config
from devtools.ports import any_free
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.queues import workers as queue_workers
from myukm.queues.workers import unserved_reason
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, gone, kill, pid_of, serving, snapshot_now, wait_serving

Start = Callable[..., Program]


def reason(app: Flask, name: str) -> tuple[str, str] | None:
    with app.app_context():
        app.extensions.pop("ttl_cache:myukm.queues.workers.snapshot", None)
        return unserved_reason(name)


@pytest.mark.timing("a killed worker is missed within 3 s")
@pytest.mark.parametrize("argv", [("rq", "worker", "high"), (*WORKER, "high")])
def test_a_killed_worker_is_missed_within_3_s(
    app: Flask, start: Start, argv: tuple[str, ...]
) -> None:
    program = start(*argv)
    wait_serving(app, ["high"])
    assert reason(app, "high") is None
    program.kill()
    wait_serving(app, [], timeout=3)
    assert reason(app, "high") == (
        "no_worker",
        "tidak ada worker yang mendengarkan antrian high",
    )


def test_a_worker_that_stops_is_unregistered(app: Flask, start: Start) -> None:
    program = start("rq", "worker", "high", "default")
    # Between its registration and its first wait RQ does not listen to signals yet.
    states = lambda: [worker.state for worker in snapshot_now(app).workers]  # noqa: E731
    wait_until(lambda: states() == ["idle"], 30, "it waits for jobs")
    program.stop()
    assert snapshot_now(app).workers == ()


def test_suspended_workers_serve_nothing(app: Flask, start: Start, valkey: redis.Redis) -> None:
    start("rq", "worker", "high")
    wait_serving(app, ["high"])
    valkey.set("rq:suspended", 1)
    found = reason(app, "high")
    assert found is not None
    assert found[0] == "workers_suspended"


def test_without_valkey_a_queue_is_unserved_for_that_reason(settings: dict[str, str]) -> None:
    app = create_app(config.load({**settings, "REDIS_URL": f"redis://127.0.0.1:{any_free()}/0"}))
    found = reason(app, "high")
    assert found is not None
    assert found[0] == "valkey_unreachable"


def test_a_frozen_worker_of_ours_is_not_counted(
    app: Flask, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_workers, "WORKER_HEARTBEAT_TIMEOUT", 7)
    start(*WORKER, "high")
    wait_serving(app, ["high"])
    pid = pid_of(app, "high")
    kill(pid, signal.SIGSTOP)
    wait_until(lambda: serving(app) == set(), 30, "silence is noticed")
    assert not gone(pid)


@pytest.mark.timing("plain workers are missed within 5 s")
def test_plain_workers_are_known_again_after_valkey_restarted(
    settings: dict[str, str], start: Start, tmp_path: Path
) -> None:
    port = any_free()
    url = f"redis://127.0.0.1:{port}/0"
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    with start_valkey(tmp_path / "own", port):
        program = start("rq", "worker", "high", REDIS_URL=url)
        # Plain RQ survives a restart of Valkey only while it waits for jobs.
        wait_until(lambda: waits_for_jobs(app), 30, "the worker waits for jobs")
    with start_valkey(tmp_path / "own", port):
        wait_serving(app, ["high"])
        program.kill()
        wait_serving(app, [], timeout=5)


def waits_for_jobs(app: Flask) -> bool:
    """Return whether a worker is blocked in its wait for the next job."""
    clients = app.extensions["valkey"].client_list()
    return any(client["cmd"] in queue_workers.BLOCKING_COMMANDS for client in clients)
