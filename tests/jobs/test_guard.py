"""An API that suddenly takes much away: the run asks before anything of that kind is written."""

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
    """Everybody's data after a first run; the worker stays."""
    campus.worker = start(*WORKER)  # type: ignore[attr-defined]
    with campus.app_context():
        commands.start(TREASURER)
    sync.wait_for_end(campus)
    with campus.app_context():
        return stored()


def lie(campus: Flask, api: Simulator, share: Any, **options: Any) -> dict[str, Any]:
    """Let the API forget these students and run until somebody is asked."""
    api.set(fail={"empty": share}, **options)
    with campus.app_context():
        commands.start(TREASURER)
    return sync.wait_for(campus, "paused", "completed")


def no_lane_at_work(campus: Flask) -> None:
    """Wait until the last answers that were on their way are written."""
    wait_until(lambda: not sync.progress_of(campus)["workers"], 30, "no lane is at work")


def check_nothing_lost(before: Stored) -> None:
    """Assert that nobody's payments are less than they were."""
    for idperson, now in stored().items():
        assert now.pembayaran or not before[idperson].pembayaran, idperson


@every_database
def test_the_run_asks_and_writes_only_what_is_accepted(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    asked = lie(campus, payment_api, 0.5)
    assert asked["reason_code"] == "suspicious_api"
    no_lane_at_work(campus)
    with campus.app_context():
        check_nothing_lost(known)
        sync.check_numbers(sync.progress_of(campus))
        assert anomaly_guard.count_quarantined(asked["run_id"]) > 0
        assert "menjadi Rp 0" in anomaly_guard.examples(asked["run_id"])[0].message
        with pytest.raises(Conflict):
            commands.resume(TREASURER)
        commands.resume(TREASURER, accept=True)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        sync.check_numbers(ended)
        assert ended["status"] == "completed"
        assert ended["success"] == STUDENTS
        forgotten = [i for i, now in stored().items() if now.pembayaran == []]
        assert len(forgotten) > STUDENTS / 3
        vanished = payment_history.of_student(next(i for i in forgotten if known[i].pembayaran))
        assert any(row.new is None for row in vanished.items)
        deeds = [deed.verb for deed in activity.of_run(ended["run_id"])]
        assert deeds == ["started", "suspicious_api", "accepted", "completed"]


def test_the_reason_counts_what_was_in_flight_too(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    asked = lie(campus, payment_api, 0.5, latency_ms="100..1500")

    def agrees() -> bool:
        now = sync.progress_of(campus)
        with campus.app_context():
            held = anomaly_guard.count_quarantined(asked["run_id"])
        return not now["workers"] and now["reason"].startswith(f"{held} dari ")

    wait_until(agrees, 30, "the reason names all that is held")


def test_a_killed_worker_lets_nothing_through(
    campus: Flask, payment_api: Simulator, known: Stored, start: Start
) -> None:
    payment_api.set(fail={"empty": 0.15}, latency_ms="150")  # too few to ask before the end
    with campus.app_context():
        commands.start(TREASURER)
    sync.wait_for_processed(campus, 100)
    campus.worker.kill()  # type: ignore[attr-defined]
    payment_api.set(fail={"empty": 1.0}, latency_ms="5")
    with campus.app_context():
        check_nothing_lost(known)
    start(*WORKER)
    sync.wait_for(campus, "paused")
    wait_until(lambda: not sync.progress_of(campus)["workers"], 30, "the lanes have stored all")
    with campus.app_context():
        check_nothing_lost(known)
        sync.check_numbers(sync.progress_of(campus))


def test_few_are_believed_in_the_end(campus: Flask, payment_api: Simulator, known: Stored) -> None:
    few = [idperson for idperson, was in known.items() if was.pembayaran][:3]
    ended = lie(campus, payment_api, few)
    with campus.app_context():
        assert ended["status"] == "completed"
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
        now = stored()
        assert all(now[idperson].pembayaran == [] for idperson in few)


def test_an_api_that_came_to_its_senses_is_asked_anew(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    lie(campus, payment_api, 0.5)
    no_lane_at_work(campus)
    payment_api.set(fail={})
    with campus.app_context():
        commands.resume(TREASURER, accept=True)
    ended = sync.wait_for_end(campus)
    assert (ended["success"], ended["unchanged"]) == (STUDENTS, STUDENTS)
    with campus.app_context():
        assert stored() == known


def test_who_accepted_is_not_asked_again_by_a_lane_that_was_slower(
    campus: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with campus.app_context():
        run_id = commands.start(TREASURER)["run_id"]
        dispatching.dispatch(run_id)
        monkeypatch.setattr(anomaly_guard, "count_quarantined", accept)
        pausing.pause_suspicious(run_id)
        assert progress.find(run_id).status == "running"


def accept(run_id: int) -> int:
    """Count what is held back, while a person accepts it."""
    with transaction() as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(answers_accepted=True))
    return 20


def test_cancel_leaves_everything_as_it_was(
    campus: Flask, payment_api: Simulator, known: Stored
) -> None:
    lie(campus, payment_api, 0.5)
    with campus.app_context():
        commands.cancel(TREASURER)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["status"] == "cancelled"
        sync.check_numbers(ended)
        check_nothing_lost(known)


def test_a_dry_run_shows_it_and_asks_nobody(
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
