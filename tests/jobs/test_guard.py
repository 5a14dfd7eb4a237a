"""The guard: a run pauses for a person before it writes many answers that take much away."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.sync import (
    anomaly_guard,
    commands,
    dispatching,
    pausing,
    payment_history,
    progress,
)
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import Siswa, SyncRun
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]
Stored = dict[str, Any]


def stored() -> Stored:
    db.session.rollback()
    return {row.idperson: row for row in db.session.execute(select(Siswa.__table__))}


@pytest.fixture
def known(campus: Flask, start: Start) -> Stored:
    """The students' data after a first run. The worker keeps running."""
    campus.worker = start(*WORKER)  # type: ignore[attr-defined]
    with campus.app_context():
        commands.start(TREASURER)
    sync.wait_for_end(campus)
    with campus.app_context():
        return stored()


def run_with_lost_data(campus: Flask, api: Simulator, share: Any, **options: Any) -> dict[str, Any]:
    """Let the API lose the payments of these students, and run until a pause or the end."""
    api.set(fail={"empty": share}, **options)
    with campus.app_context():
        commands.start(TREASURER)
    return sync.wait_for(campus, "paused", "completed")


def wait_for_lanes(campus: Flask) -> None:
    """Wait until the answers in flight are written."""
    wait_until(lambda: not sync.progress_of(campus)["workers"], 30, "no lane is at work")


def check_nothing_lost(before: Stored) -> None:
    """Assert that no student lost all payments."""
    for idperson, now in stored().items():
        assert now.pembayaran or not before[idperson].pembayaran, idperson


@every_database
def test_a_run_pauses_for_a_person_and_writes_only_after_acceptance(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    paused = run_with_lost_data(campus, payment_api, 0.5)
    assert paused["reason_code"] == "suspicious_api"
    wait_for_lanes(campus)
    with campus.app_context():
        check_nothing_lost(known)
        sync.check_numbers(sync.progress_of(campus))
        assert anomaly_guard.count_quarantined(paused["run_id"]) > 0
        assert "menjadi Rp 0" in anomaly_guard.examples(paused["run_id"])[0].message
        with pytest.raises(Conflict):
            commands.resume(TREASURER)
        commands.resume(TREASURER, accept=True)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        sync.check_numbers(ended)
        assert ended["status"] == "completed"
        assert ended["success"] == STUDENTS
        emptied = [i for i, now in stored().items() if now.pembayaran == []]
        assert len(emptied) > STUDENTS / 3
        changes = payment_history.of_student(next(i for i in emptied if known[i].pembayaran))
        assert any(row.new is None for row in changes.items)
        actions = [action.verb for action in activity.of_run(ended["run_id"])]
        assert actions == ["started", "suspicious_api", "accepted", "completed"]


def test_the_reason_also_counts_answers_that_arrive_after_the_pause(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    paused = run_with_lost_data(campus, payment_api, 0.5, latency_ms="100..1500")

    def agrees() -> bool:
        now = sync.progress_of(campus)
        with campus.app_context():
            quarantined = anomaly_guard.count_quarantined(paused["run_id"])
        return not now["workers"] and now["reason"].startswith(f"{quarantined} dari ")

    wait_until(agrees, 30, "the reason counts all quarantined answers")


def test_no_suspicious_answer_is_written_if_the_worker_is_killed(
    campus: Flask, payment_api: Simulator, known: Stored, start: Start
) -> None:
    # Too few to pause the run before its end.
    payment_api.set(fail={"empty": 0.15}, latency_ms="150")
    with campus.app_context():
        commands.start(TREASURER)
    sync.wait_for_processed(campus, 100)
    campus.worker.kill()  # type: ignore[attr-defined]
    payment_api.set(fail={"empty": 1.0}, latency_ms="5")
    with campus.app_context():
        check_nothing_lost(known)
    start(*WORKER)
    sync.wait_for(campus, "paused")
    wait_for_lanes(campus)
    with campus.app_context():
        check_nothing_lost(known)
        sync.check_numbers(sync.progress_of(campus))


def test_few_suspicious_answers_are_stored_when_repeated(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    few = [idperson for idperson, was in known.items() if was.pembayaran][:3]
    ended = run_with_lost_data(campus, payment_api, few)
    with campus.app_context():
        assert ended["status"] == "completed"
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
        now = stored()
        assert all(now[idperson].pembayaran == [] for idperson in few)


def test_after_acceptance_the_students_are_fetched_again(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    run_with_lost_data(campus, payment_api, 0.5)
    wait_for_lanes(campus)
    payment_api.set(fail={})
    with campus.app_context():
        commands.resume(TREASURER, accept=True)
    ended = sync.wait_for_end(campus)
    assert (ended["success"], ended["unchanged"]) == (STUDENTS, STUDENTS)
    with campus.app_context():
        assert stored() == known


def test_a_late_lane_does_not_pause_a_run_whose_answers_were_accepted(
    campus: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with campus.app_context():
        run_id = commands.start(TREASURER)["run_id"]
        dispatching.dispatch(run_id)
        monkeypatch.setattr(anomaly_guard, "count_quarantined", accept)
        pausing.pause_suspicious(run_id)
        assert progress.find(run_id).status == "running"


def accept(run_id: int) -> int:
    """Stand in for `count_quarantined` while a person accepts the answers."""
    with transaction() as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(answers_accepted=True))
    return 20


def test_cancelling_a_paused_run_changes_no_data(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    run_with_lost_data(campus, payment_api, 0.5)
    with campus.app_context():
        commands.cancel(TREASURER)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["status"] == "cancelled"
        sync.check_numbers(ended)
        check_nothing_lost(known)


def test_a_dry_run_lists_suspicious_changes_without_a_pause(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    payment_api.set(fail={"empty": 0.5})
    with campus.app_context():
        commands.start(TREASURER, dry_run=True)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["status"] == "completed"
        assert stored() == known
        assert payment_history.of_run(ended["run_id"]).total > STUDENTS / 3
