"""Pause, cancel, a worker's warm stop: nobody is asked for any more, and every number stands."""

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


def running(campus: Flask, api: Simulator, start: Start, *argv: str) -> Any:
    """Start a slow run and wait until it is under way; return the worker."""
    api.set(latency_ms="150..200")
    with campus.app_context():
        commands.start(TREASURER)
    worker = start(*(argv or WORKER))
    sync.wait_for_processed(campus, 50)
    return worker


@every_database
def test_cancel_comes_to_its_end_with_no_worker(campus: Flask) -> None:
    with campus.app_context():
        commands.start(TREASURER)
        assert commands.cancel(TREASURER)["status"] == "cancelled"
    ended = sync.progress_of(campus)
    assert ended["total"] == ended["cancelled"] == 0
    with campus.app_context():
        assert commands.start(TREASURER)["status"] == "queued"


@every_database
def test_cancel_in_the_middle_keeps_what_is_done(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    running(campus, payment_api, start)
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
    time.sleep(1)  # a request too many would come at once
    assert requests(payment_api) == asked


def test_cancel_after_the_worker_was_killed(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    running(campus, payment_api, start).kill()
    with campus.app_context():
        commands.cancel(TREASURER)
    ended = sync.wait_for_end(campus, 30)
    with campus.app_context():
        assert ended["status"] == "cancelled"
        sync.check_numbers(ended)


@every_database
def test_pause_and_resume_go_on_where_it_was(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    running(campus, payment_api, start)
    with campus.app_context():
        assert commands.pause(TREASURER)["status"] == "paused"
    wait_until(lambda: sync.progress_of(campus)["workers"] == 0, 30, "the lane has left")
    asked, rested = requests(payment_api), sync.progress_of(campus)
    assert rested["rate_per_second"] is None
    assert rested["eta_seconds"] is None
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


def test_pause_before_the_items_are_written(campus: Flask, start: Start) -> None:
    with campus.app_context():
        commands.start(TREASURER)
        assert commands.pause(TREASURER)["total"] == 0
        assert commands.resume(TREASURER)["status"] == "queued"
    start(*WORKER)
    assert sync.wait_for_end(campus)["success"] == STUDENTS


@pytest.mark.timing("a warm stop takes less than 5 s")
def test_a_warm_stop_gives_open_students_back_at_once(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    worker = running(campus, payment_api, start, "python", "worker.py", "sync-pembayaran")
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
