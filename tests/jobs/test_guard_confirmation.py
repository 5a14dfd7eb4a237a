"""A student whose answer takes much away is fetched once more before the answer is stored."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.client import from_status
from myukm.domain.payment_api.parser import parse
from myukm.domain.sync import (
    anomaly_guard,
    commands,
    dispatching,
    lane_job,
    lane_store,
    lifecycle,
    payment_history,
    progress,
    results,
    watchdog,
)
from myukm.extensions import db
from myukm.models import Siswa, SyncItem
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

FEW = [str(100001 + n) for n in range(10)]
EMPTY = b'{"data": []}'


def run(chosen: list[str], **options: Any) -> dict[str, Any]:
    """Carry a run over these students out in this process and return its progress."""
    run_id = commands.start(TREASURER, selected_ids=chosen, **options)["run_id"]
    dispatching.dispatch(run_id)

    def is_over() -> bool:
        lane_job.run_lane(run_id)  # a quarantined student may be left to the next lane
        db.session.rollback()
        return bool(progress.current()["status"] == "completed")

    wait_until(is_over, 60, "the run is over")
    return progress.current()


def stored(idperson: str) -> Any:
    db.session.rollback()
    query = select(Siswa.pembayaran, Siswa.saldo, Siswa.tunggakan, Siswa.lunas, Siswa.digest)
    return db.session.execute(query.where(Siswa.idperson == idperson)).one()


@pytest.fixture
def quiet(app: Flask) -> Flask:
    """The app with its students, without periodic tasks, which would act in the background."""
    with app.app_context():
        sync.create_students(STUDENTS)
    return app


@pytest.fixture
def indebted(quiet: Flask) -> str:
    """A student with stored bills."""
    quiet.config["PEMBAYARAN_API_TRIES"] = 1
    with quiet.app_context():
        assert run(FEW)["success"] == len(FEW)
        return next(idperson for idperson in FEW if stored(idperson).pembayaran)


@pytest.mark.parametrize("chosen", ["alone", "among few"])
@pytest.mark.parametrize("share", [0.2, 0])
@every_database
def test_an_answer_that_is_empty_only_once_changes_nothing(
    quiet: Flask, payment_api: Simulator, indebted: str, chosen: str, share: float
) -> None:
    quiet.config["GUARD_SHARE"] = share
    payment_api.set(flaky={"empty": [indebted]}, etag=False)
    payment_api.reset()
    students = [indebted] if chosen == "alone" else FEW
    with quiet.app_context():
        before = stored(indebted)
        ended = run(students)
        assert (ended["status"], ended["unchanged"]) == ("completed", len(students))
        assert stored(indebted) == before
        assert payment_history.of_student(indebted).total == 1
        sync.check_numbers(ended)
        run_row = progress.find(ended["run_id"])
        assert run_row
        assert run_row.compared_count == len(students)
        assert sync_item(ended["run_id"], indebted) == ("unchanged", None, None)
    assert payment_api.state()["requests"] == len(students) + 1


def sync_item(run_id: int, idperson: str) -> tuple[Any, ...]:
    query = select(SyncItem.status, SyncItem.code, SyncItem.message)
    return tuple(
        db.session.execute(
            query.where(SyncItem.run_id == run_id, SyncItem.idperson == idperson)
        ).one()
    )


def test_a_repeated_suspicious_answer_is_stored(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    payment_api.set(fail={"empty": [indebted]})
    payment_api.reset()
    with quiet.app_context():
        ended = run([indebted])
        assert (ended["status"], ended["success"], ended["unchanged"]) == ("completed", 1, 0)
        assert stored(indebted).pembayaran == []
        assert sync_item(ended["run_id"], indebted) == ("success", None, None)
    assert payment_api.state()["requests"] == 2


def test_a_student_fails_if_the_second_request_fails(quiet: Flask, indebted: str) -> None:
    with quiet.app_context():
        before = stored(indebted)
        lane, student = reclaim_quarantined(indebted, EMPTY)
        lane.flush_and_claim([student.complete(server_error())], 0)
        assert sync.progress_of(quiet)["failed"] == 1
        assert stored(indebted) == before


def server_error() -> Any:
    return from_status(500, None)


def reclaim_quarantined(idperson: str, body: bytes) -> tuple[lane_store.LaneStore, Any]:
    """Let a lane quarantine the answer `body` and die; return the next lane and the student."""
    run_id = commands.start(TREASURER, selected_ids=[idperson])["run_id"]
    dispatching.dispatch(run_id)
    lane = register_lane(run_id, "a")
    (student,) = lane.flush_and_claim([], 5).items
    assert student.etag
    lane.flush_and_claim([student.complete(parse(body, idperson))], 0)
    assert sync.items(run_id) == {"held": 1}
    watchdog.expire_lane(lane.lane_id, run_id)
    end_pause(run_id)
    lane = register_lane(run_id, "b")
    (student,) = lane.flush_and_claim([], 5).items
    assert student.etag is None
    return lane, student


def register_lane(run_id: int, letter: str) -> lane_store.LaneStore:
    lane = lane_store.LaneStore(run_id, letter * 32)
    lane.register()
    return lane


def end_pause(run_id: int) -> None:
    """End the pause between the two requests and let the run take its next step."""
    with transaction() as session:
        old = utcnow() - 2 * anomaly_guard.PAUSE
        session.execute(update(SyncItem).where(SyncItem.run_id == run_id).values(finished_at=old))
    lifecycle.advance(run_id)
    assert sync.items(run_id) == {"pending": 1}


def test_a_lane_that_dies_between_the_two_requests_loses_nothing(
    quiet: Flask, indebted: str
) -> None:
    with quiet.app_context():
        before = stored(indebted)
        lane, student = reclaim_quarantined(indebted, EMPTY)
        assert stored(indebted) == before
        # The second lane also dies before the second answer.
        watchdog.expire_lane(lane.lane_id, lane.run_id)
        lane_store.release_orphans(db.session(), lane.run_id)
        db.session.commit()
        lane = register_lane(lane.run_id, "c")
        (student,) = lane.flush_and_claim([], 5).items
        lane.flush_and_claim([student.complete(parse(EMPTY, indebted))], 0)
        assert sync.items(lane.run_id) == {"success": 1}
        assert stored(indebted).pembayaran == []


def test_two_different_suspicious_answers_fail_the_student(quiet: Flask, indebted: str) -> None:
    with quiet.app_context():
        before = stored(indebted)
        lane, student = reclaim_quarantined(indebted, EMPTY)
        other = f'{{"data": [{{"idperson": "{indebted}", "saldo": 5, "periods": [{PERIOD}]}}]}}'
        lane.flush_and_claim([student.complete(parse(other.encode(), indebted))], 0)
        (status, code, message) = sync_item(lane.run_id, indebted)
        assert (status, code) == ("failed", "contradictory")
        assert "Rp 1" in message
        assert stored(indebted) == before


SUMS = '{"total_billed": 1, "total_paid": 0, "total_remaining": 1, "fully_paid": false}'
PERIOD = (
    f'{{"period_id": "1", "kelas_info": "", "summary": {SUMS}, "categories": [{{'
    f'"category_name": "SPP", "summary": {SUMS}, "items": [{{"unit_name": "Juli", '
    '"amount_billed": 1, "amount_paid": 0, "remaining_balance": 1}]}]}'
)


def test_vanished_items_are_quarantined_though_the_stated_sums_stay(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    """Debts are summed over the items, whatever sums the API states."""
    answer = payment_api.expected(indebted)
    for period in answer["data"][0]["periods"]:
        for category in period["categories"]:
            category["items"] = []
    page = {"status": 200, "body": json.dumps(answer)}
    payment_api.set(override={f"/payments/{indebted}": page})
    payment_api.reset()
    with quiet.app_context():
        assert run([indebted])["success"] == 1
    assert payment_api.state()["requests"] == 2


def test_a_vanished_category_without_items_is_quarantined(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    answer = payment_api.expected(indebted)
    bill = {"total_billed": 10**9, "total_paid": 0, "total_remaining": 10**9, "fully_paid": False}
    period = answer["data"][0]["periods"][-1]
    period["categories"].append({"category_name": "Gedung", "summary": bill, "items": []})
    for name in ("total_billed", "total_remaining"):
        period["summary"][name] += 10**9
    before = parse(json.dumps(answer).encode(), indebted)
    with quiet.app_context():
        with transaction() as session:
            results.store(session, {row_of(indebted): before})
        payment_api.reset()
        assert run([indebted])["success"] == 1
    assert payment_api.state()["requests"] == 2


def row_of(idperson: str) -> int:
    return db.session.scalars(select(Siswa.id).where(Siswa.idperson == idperson)).one()


def test_the_first_run_after_an_upgrade_is_guarded(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    """An upgrade may delete the digests, but the stored data must still be guarded."""
    payment_api.set(flaky={"empty": [indebted]}, etag=False)
    with quiet.app_context():
        before = stored(indebted)
        with transaction() as session:
            session.execute(update(Siswa).values(digest=None, synced_at=None, etag=None))
        ended = run([indebted])
        assert ended["status"] == "completed"
        assert stored(indebted) == before


def test_a_quarantined_student_is_not_released_before_the_pause_is_over(
    quiet: Flask, indebted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anomaly_guard, "PAUSE", timedelta(minutes=1))
    with quiet.app_context():
        run_id = commands.start(TREASURER, selected_ids=[indebted])["run_id"]
        dispatching.dispatch(run_id)
        lane = register_lane(run_id, "a")
        (student,) = lane.flush_and_claim([], 5).items
        lane.flush_and_claim([student.complete(parse(EMPTY, indebted))], 0)
        lifecycle.advance(run_id)
        assert sync.items(run_id) == {"held": 1}
        end_pause(run_id)
