"""The API's answers decide whether a student fails or is retried, and whether a run pauses."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from devtools.simulator import Simulator
from myukm.domain.sync import commands, dispatching, lane_job
from myukm.extensions import db
from myukm.models import SyncItem
from myukm.ops import doctor
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]


def run(campus: Flask, chosen: list[str] | None = None) -> dict[str, Any]:
    """Carry a run out in this process and return its progress when its lane (its job) has ended."""
    with campus.app_context():
        run_id = commands.start(TREASURER, selected_ids=chosen)["run_id"]
    with campus.app_context():
        dispatching.dispatch(run_id)
    with campus.app_context():
        lane_job.run_lane(run_id)
    return sync.progress_of(campus)


def failures(campus: Flask) -> dict[str, tuple[str | None, int]]:
    with campus.app_context():
        query = select(SyncItem.idperson, SyncItem.code, SyncItem.attempts)
        rows = db.session.execute(query.where(SyncItem.status == "failed")).all()
        return {idperson: (code, attempts) for idperson, code, attempts in rows}


@pytest.mark.parametrize(
    ("kind", "code", "attempts"),
    [
        ("404", "not_found", 1),
        ("400", "client_error", 1),
        ("403", "client_error", 1),
        ("redirect", "client_error", 1),
        ("500", "server_error", 3),
        ("503", "server_error", 3),
        ("reset", "connection", 3),
        ("truncated", "connection", 3),
        ("garbage", "invalid_body", 3),
        ("html", "invalid_body", 3),
        ("null", "invalid_body", 3),
        ("object", "invalid_body", 3),
        ("wrong_student", "wrong_student", 3),
        ("too_large", "too_large", 3),
    ],
)
def test_each_kind_of_failure_has_its_code_and_number_of_attempts(
    campus: Flask, payment_api: Simulator, kind: str, code: str, attempts: int
) -> None:
    payment_api.set(fail={kind: ["100002"]})
    ended = run(campus, ["100001", "100002", "100003"])
    assert ended["status"] == "completed"
    assert (ended["success"], ended["failed"]) == (2, 1)
    assert failures(campus) == {"100002": (code, attempts)}


@pytest.mark.parametrize("kind", ["timeout", "stall"])
def test_an_unanswered_request_fails_as_a_timeout(
    campus: Flask, payment_api: Simulator, kind: str
) -> None:
    campus.config["PEMBAYARAN_API_TIMEOUT"] = 0.3
    payment_api.set(fail={kind: ["100002"]})
    run(campus, ["100001", "100002"])
    assert failures(campus) == {"100002": ("timeout", 3)}


def test_a_student_succeeds_after_two_failed_requests(
    campus: Flask, payment_api: Simulator
) -> None:
    payment_api.set(flaky={"500": ["100001"], "reset": ["100002"]}, flaky_failures=2)
    assert run(campus, ["100001", "100002"])["success"] == 2


def test_no_payments_is_a_success(campus: Flask, payment_api: Simulator) -> None:
    payment_api.set(fail={"empty": ["100001"]})
    ended = run(campus, ["100001"])
    assert (ended["success"], ended["unchanged"]) == (1, 0)


def test_a_429_response_counts_as_no_attempt(campus: Flask, payment_api: Simulator) -> None:
    payment_api.set(rate=40, latency_ms="1")
    ended = run(campus, [str(100001 + n) for n in range(160)])
    assert ended["success"] == 160
    assert payment_api.state()["outcomes"]["429"] > 0
    with campus.app_context():
        assert set(db.session.scalars(select(SyncItem.attempts))) == {1}


def test_retry_after_blocks_all_requests_of_a_run(campus: Flask, payment_api: Simulator) -> None:
    payment_api.set(rate=10, retry_after="2", latency_ms="1")
    began = time.monotonic()
    # Four bursts, or three if the first one is at the turn of a second, which allows ten more.
    run(campus, [str(100001 + n) for n in range(40)])
    assert time.monotonic() - began > 4
    seconds = [count for count in payment_api.state()["per_second"] if count]
    assert len(seconds) <= 5, "there are seconds without any request between the bursts"


@pytest.mark.timing("a budget per second is counted by the second")
def test_two_workers_together_keep_the_requests_per_second(
    campus: Flask, payment_api: Simulator, start: Start, settings: dict[str, str]
) -> None:
    payment_api.set(latency_ms="1")
    with campus.app_context():
        commands.start(TREASURER)
    for _ in range(2):
        start(*WORKER, PEMBAYARAN_API_RPS="60")
    ended = sync.wait_for_end(campus)
    assert ended["success"] == STUDENTS
    counts = payment_api.state()["per_second"]
    assert 50 <= max(counts) <= 66, counts


def test_a_refused_token_pauses_the_run(campus: Flask, payment_api: Simulator) -> None:
    payment_api.set(token="another")
    paused = run(campus)
    assert paused["status"] == "paused"
    assert paused["reason_code"] == "unauthorized"
    assert paused["pending"] == STUDENTS
    found = next(each for each in diagnosis(campus) if each["code"] == "sync_paused")
    assert (found["level"], "HTTP 401" in found["message"]) == ("broken", True)
    payment_api.set(token=None)
    with campus.app_context():
        resumed = commands.resume(TREASURER)
        assert resumed["reason"] is None
    with campus.app_context():
        lane_job.run_lane(resumed["run_id"])
    assert sync.progress_of(campus)["success"] == STUDENTS


def diagnosis(campus: Flask) -> list[dict[str, Any]]:
    with campus.app_context():
        found: list[dict[str, Any]] = doctor.report()["findings"]
        return found


def test_late_refusals_do_not_pause_a_resumed_run(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    """The run's job, whose requests were refused, still waits for slow ones when it is resumed."""
    payment_api.set(token="another", latency_ms="10..3000")
    with campus.app_context():
        commands.start(TREASURER)
    start(*WORKER)
    sync.wait_for(campus, "paused")
    payment_api.set(token=None, latency_ms="10")
    with campus.app_context():
        commands.resume(TREASURER)
    ended = sync.wait_for(campus, "completed", "paused")
    assert (ended["status"], ended["success"]) == ("completed", STUDENTS)


def test_ten_refused_students_in_a_row_pause_the_run(campus: Flask, payment_api: Simulator) -> None:
    payment_api.set(outage="403")
    paused = run(campus)
    assert (paused["status"], paused["reason_code"]) == ("paused", "forbidden")
    assert paused["failed"] == 0
    assert paused["pending"] == STUDENTS


@pytest.mark.timing("a run goes on 6.5 s after the API's return")
def test_an_outage_fails_no_student_and_is_only_probed(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    payment_api.set(latency_ms="100")
    with campus.app_context():
        commands.start(TREASURER)
    for _ in range(2):
        start(*WORKER)
    sync.wait_for_processed(campus, 60)
    payment_api.set(outage="500", latency_ms="5")
    stalled = wait_until(lambda: _stalled(campus), 20, "stalled")
    assert (stalled["status"], stalled["reason_code"]) == ("running", "api_down")
    payment_api.reset()
    wait_until(lambda: sum(payment_api.state()["per_second"]) >= 2, 15, "two probes")
    assert max(payment_api.state()["per_second"]) <= 2
    payment_api.set(outage=None)
    back, before = time.monotonic(), stalled["processed"]
    wait_until(lambda: sync.progress_of(campus)["processed"] > before + 10, 10, "it goes on")
    assert time.monotonic() - back < 6.5
    ended = sync.wait_for_end(campus)
    assert ended["success"] == STUDENTS
    assert ended["failed"] == 0


def _stalled(campus: Flask) -> dict[str, Any] | None:
    now = sync.progress_of(campus)
    return now if now["stalled"] else None


def test_a_run_ends_if_only_failing_students_are_left(
    campus: Flask, payment_api: Simulator
) -> None:
    bad = [str(100001 + n) for n in range(25)]
    payment_api.set(fail={"500": bad})
    ended = run(campus, bad)
    assert ended["status"] == "completed"
    assert ended["failed"] == 25


def test_the_job_of_one_student_returns_its_outcome(campus: Flask, payment_api: Simulator) -> None:
    from myukm.jobs.sync_pembayaran import sync_pembayaran_siswa as job

    payment_api.set(fail={"404": ["100002"]})
    with campus.app_context():
        assert job("100001") == "success"
        assert job("100001") == "unchanged"
        assert job("100002") == "failed"
        assert job("nobody") == "gone"
        sync.check_stored(payment_api, ["100001"])
