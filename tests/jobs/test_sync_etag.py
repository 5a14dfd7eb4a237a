"""Conditional requests: payments are not transferred again while their ETag is fresh."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.parser import NotModified
from myukm.domain.sync import commands, dispatching, etags, lane_job, lane_store
from myukm.extensions import db
from myukm.models import Siswa
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until


def run(campus: Flask, *, dry_run: bool = False) -> dict[str, Any]:
    """Carry a run out in this process and return its progress at its end."""
    with campus.app_context():
        run_id = commands.start(TREASURER, dry_run=dry_run)["run_id"]
        dispatching.dispatch(run_id)

        def work() -> bool:
            # A student whose answer did not come in time is left to the next lane.
            lane_job.run_lane(run_id)
            return bool(sync.progress_of(campus)["status"] == "completed")

        wait_until(work, 60, "the run is over")
    return sync.progress_of(campus)


def counted_answers(payment_api: Simulator) -> dict[str, int]:
    """Return how many answers of each kind the API gave since the last call."""
    outcomes = dict(payment_api.state()["outcomes"])
    payment_api.reset()
    return outcomes


def update_students(campus: Flask, **values: Any) -> None:
    with campus.app_context(), transaction() as session:
        session.execute(update(Siswa).values(values))


def test_only_changed_students_are_transferred_again(campus: Flask, payment_api: Simulator) -> None:
    run(campus)
    assert counted_answers(payment_api) == {"200": STUDENTS}
    payment_api.advance(["100001", "100002", "100003"])
    ended = run(campus)
    assert counted_answers(payment_api) == {"200": 3, "304": STUDENTS - 3}
    assert (ended["success"], ended["unchanged"]) == (STUDENTS, STUDENTS - 3)
    with campus.app_context():
        sync.check_stored(payment_api, ["100001", "100002", "100003", "100004"])


def test_a_dry_run_stores_no_etags(campus: Flask, payment_api: Simulator) -> None:
    run(campus, dry_run=True)
    with campus.app_context():
        assert db.session.scalar(select(func.count(Siswa.etag))) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"etag_at": utcnow() - timedelta(days=2)},
        {"etag_at": utcnow() + timedelta(days=2)},
        {"digest": None},
    ],
    ids=["too old", "from the future", "data gone"],
)
def test_an_etag_is_not_sent_if_it_is_old_or_the_data_is_gone(
    campus: Flask, payment_api: Simulator, values: Mapping[str, Any]
) -> None:
    run(campus)
    update_students(campus, **values)
    counted_answers(payment_api)
    run(campus)
    assert counted_answers(payment_api) == {"200": STUDENTS}
    run(campus)
    assert counted_answers(payment_api) == {"304": STUDENTS}


def test_etags_can_be_switched_off(campus: Flask, payment_api: Simulator) -> None:
    campus.config["PEMBAYARAN_API_ETAG_HOURS"] = 0
    run(campus)
    run(campus)
    assert counted_answers(payment_api) == {"200": 2 * STUDENTS}


def test_the_etags_of_another_api_are_not_sent(campus: Flask, payment_api: Simulator) -> None:
    """Two servers that number their versions may use one ETag for different data."""
    run(campus)
    counted_answers(payment_api)
    campus.config["PEMBAYARAN_API_URL"] = payment_api.url.replace("127.0.0.1", "localhost")
    run(campus)
    assert counted_answers(payment_api) == {"200": STUDENTS}


def test_a_changed_body_is_stored_even_under_the_old_etag(
    campus: Flask, payment_api: Simulator
) -> None:
    """An upgraded API may send another body with the old ETag."""
    run(campus)
    with campus.app_context():
        tag = etags.usable(db.session(), ["100001"])["100001"]
    body = '{"data": [{"idperson": "100001", "saldo": 77, "periods": []}]}'
    other = {"status": 200, "body": body, "headers": {"ETag": tag}}
    payment_api.set(override={"/payments/100001": other})
    campus.config["GUARD_SHARE"] = 0
    ended = run(campus)
    assert ended["unchanged"] == STUDENTS - 1
    with campus.app_context():
        assert db.session.scalar(select(Siswa.saldo).where(Siswa.idperson == "100001")) == 77


def test_not_modified_without_a_sent_etag_fails_the_student(
    campus: Flask, payment_api: Simulator
) -> None:
    payment_api.set(override={"/payments/100001": {"status": 304, "body": ""}})
    ended = run(campus)
    assert (ended["success"], ended["failed"]) == (STUDENTS - 1, 1)


def test_malformed_etags_are_not_stored(campus: Flask, payment_api: Simulator) -> None:
    body = '{"data": []}'
    for tag in ("no quotes", '"' + "x" * 300 + '"', '"a\tb"'):
        page = {"status": 200, "body": body, "headers": {"ETag": tag}}
        payment_api.set(override={"/payments/100001": page})
        run(campus)
        with campus.app_context():
            query = select(Siswa.etag).where(Siswa.idperson == "100001")
            assert db.session.scalar(query) is None


def test_a_student_deleted_during_the_run_fails(campus: Flask, payment_api: Simulator) -> None:
    run(campus)
    with campus.app_context():
        run_id = commands.start(TREASURER)["run_id"]
        dispatching.dispatch(run_id)
        with transaction() as session:
            session.execute(update(Siswa).where(Siswa.idperson == "100001").values(idperson="x"))
        lane_job.run_lane(run_id)
    ended = sync.progress_of(campus)
    assert (ended["success"], ended["failed"]) == (STUDENTS - 1, 1)


def test_a_student_is_fetched_again_if_not_modified_refers_to_replaced_data(
    campus: Flask, payment_api: Simulator
) -> None:
    """A lane requests with an ETag; other data is stored; the API answers "not modified"."""
    run(campus)
    with campus.app_context():
        run_id = commands.start(TREASURER, selected_ids=["100001"])["run_id"]
        dispatching.dispatch(run_id)
        lane = lane_store.LaneStore(run_id, "l" * 32)
        lane.register()
        (student,) = lane.flush_and_claim([], 5).items
        assert student.etag
    update_students(campus, digest="other", etag="other", pembayaran=[])
    with campus.app_context():
        lane.flush_and_claim([student.complete(NotModified())], 0)
        assert sync.items(run_id) == {"pending": 1}
        lane.unregister([], [])
        lane_job.run_lane(run_id)
        assert sync.items(run_id) == {"success": 1}
        sync.check_stored(payment_api, ["100001"])
