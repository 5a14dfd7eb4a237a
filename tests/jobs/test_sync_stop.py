"""After a pause, a cancel or a worker's warm stop no requests are sent and the counts are right."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from devtools.simulator import Simulator
from myukm.domain.sync import commands
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]


def requests(api: Simulator) -> int:
    return int(api.state()["requests"])


def start_slow_run(campus: Flask, api: Simulator, start: Start, *argv: str) -> Any:
    """Start a slow run and wait until 50 students are processed; return the worker."""
    api.set(latency_ms="150..200")
    with campus.app_context():
        commands.start(TREASURER)
    worker = start(*(argv or WORKER))
    sync.wait_for_processed(campus, 50)
    return worker


@every_database
def test_cancel_ends_the_run_without_a_worker(campus: Flask) -> None:
    with campus.app_context():
        commands.start(TREASURER)
        assert commands.cancel(TREASURER)["status"] == "cancelled"
    ended = sync.progress_of(campus)
    assert ended["total"] == ended["cancelled"] == 0
    with campus.app_context():
        assert commands.start(TREASURER)["status"] == "queued"


@every_database
def test_cancel_keeps_the_results_and_sends_no_more_requests(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start_slow_run(campus, payment_api, start)
    with campus.app_context():
        commands.cancel(TREASURER)
    ended = sync.wait_for_end(campus)
    asked = requests(payment_api)
    with campus.app_context():
        assert ended["status"] == "cancelled"
        assert ended["cancelled"] > 0
        assert ended["processed"] >= 50
        assert ended["percent"] == 100
        sync.check_numbers(ended)
    time.sleep(1)  # a request sent after the cancel would come at once
    assert requests(payment_api) == asked


def test_cancel_ends_the_run_after_its_worker_was_killed(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start_slow_run(campus, payment_api, start).kill()
    with campus.app_context():
        commands.cancel(TREASURER)
    ended = sync.wait_for_end(campus, 30)
    with campus.app_context():
        assert ended["status"] == "cancelled"
        sync.check_numbers(ended)


@every_database
def test_a_resumed_run_continues_where_it_was_paused(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start_slow_run(campus, payment_api, start)
    with campus.app_context():
        assert commands.pause(TREASURER)["status"] == "paused"
    wait_until(lambda: sync.progress_of(campus)["workers"] == 0, 30, "the lane has ended")
    asked, paused = requests(payment_api), sync.progress_of(campus)
    assert paused["rate_per_second"] is None
    assert paused["eta_seconds"] is None
    time.sleep(1)
    assert requests(payment_api) == asked
    payment_api.set(latency_ms="10")
    with campus.app_context():
        assert commands.resume(TREASURER)["status"] == "running"
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
    assert max(s["answered"] for s in payment_api.students().values()) == 1


def test_a_run_paused_before_its_dispatch_completes_after_resume(
    campus: Flask, start: Start
) -> None:
    with campus.app_context():
        commands.start(TREASURER)
        assert commands.pause(TREASURER)["total"] == 0
        assert commands.resume(TREASURER)["status"] == "queued"
    start(*WORKER)
    assert sync.wait_for_end(campus)["success"] == STUDENTS


@pytest.mark.timing("a warm stop takes less than 5 s")
def test_a_warm_stop_releases_open_students_at_once(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    worker = start_slow_run(campus, payment_api, start, "python", "worker.py", "sync-pembayaran")
    payment_api.set(latency_ms="2500")
    began = time.monotonic()
    assert worker.stop(8) == 0
    assert time.monotonic() - began < 5
    now = sync.progress_of(campus)
    assert now["status"] == "running"
    assert now["workers"] == 0
    payment_api.set(latency_ms="5")
    start(*WORKER)
    ended = sync.wait_for_end(campus, 20)
    with campus.app_context():
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
