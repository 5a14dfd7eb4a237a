"""A run from start to end with a plain `rq worker` and the simulator over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import select

from devtools.simulator import Simulator
from myukm.domain.sync import commands, lane_job
from myukm.domain.sync.lane import Lane
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]


@every_database
def test_a_run_stores_what_the_api_serves_and_counts_each_student_once(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    payment_api.set(fail={"500": 0.02, "404": 0.02, "garbage": 0.01}, flaky={"reset": 0.02})
    with campus.app_context():
        accepted = commands.start(TREASURER)
    assert accepted["status"] == "queued"
    start(*WORKER)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["status"] == "completed"
        assert ended["total"] == STUDENTS
        sync.check_numbers(ended)
        failed = db.session.scalars(select(SyncItem).where(SyncItem.status == "failed")).all()
        assert {item.code for item in failed} == {"server_error", "not_found", "invalid_body"}
        assert {item.attempts for item in failed if item.code != "not_found"} == {3}
        good = db.session.scalars(select(Siswa.idperson).where(Siswa.synced_at.is_not(None))).all()
        assert len(good) == ended["success"]
        sync.check_stored(payment_api, list(good)[:50])
    answered = [student["answered"] for student in payment_api.students().values()]
    assert max(answered) == 1


def test_one_job_completes_a_run(campus: Flask, start: Start) -> None:
    with campus.app_context():
        commands.start(TREASURER)
    worker = start(*WORKER, "--max-jobs", "1")
    assert worker.child.wait(60) == 0, worker.output()
    with campus.app_context():
        assert db.session.scalars(select(SyncRun.status)).one() == "completed"


def test_the_job_holds_no_transaction_while_its_lane_works(
    campus: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends sessions idle in a transaction, and the job's session idles for minutes."""
    found = list[bool]()

    async def work(_self: Lane) -> None:
        found.append(db.session().in_transaction())

    monkeypatch.setattr(Lane, "work", work)
    with campus.app_context():
        commands.start(TREASURER)
        run_id = db.session.scalars(select(SyncRun.id)).one()
        assert lane_job.run_first_lane(run_id) == STUDENTS
    assert found == [False]


def test_a_second_run_writes_only_changed_students(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start(*WORKER)
    with campus.app_context():
        commands.start(TREASURER)
    sync.wait_for_end(campus)
    payment_api.advance(["100001", "100002", "100003"])
    query = select(Siswa.idperson, Siswa.synced_at).where(Siswa.idperson > "100003")
    with campus.app_context():
        before = db.session.execute(query).all()
        commands.start(TREASURER)
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        sync.check_numbers(ended)
        assert ended["success"] == STUDENTS
        changed = db.session.scalars(
            select(SyncItem.idperson).where(
                SyncItem.run_id == ended["run_id"], SyncItem.status == "success"
            )
        )
        assert set(changed) <= {"100001", "100002", "100003"}
        assert db.session.execute(query).all() == before


@every_database
def test_a_run_completes_after_its_worker_was_killed(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    payment_api.set(latency_ms="200..300")
    with campus.app_context():
        commands.start(TREASURER)
    first = start(*WORKER)
    sync.wait_for_processed(campus, 100)
    first.kill()
    payment_api.set(latency_ms="5")
    start(*WORKER)
    ended = sync.wait_for_end(campus, 45)
    with campus.app_context():
        assert ended["status"] == "completed"
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
    answered = [student["answered"] for student in payment_api.students().values()]
    assert sum(answered) <= STUDENTS + 200, (
        "only students in flight or unwritten are requested again"
    )


def test_a_run_completes_though_valkey_is_wiped(
    campus: Flask, payment_api: Simulator, start: Start, valkey: redis.Redis
) -> None:
    payment_api.set(latency_ms="100")
    with campus.app_context():
        commands.start(TREASURER)
    start(*WORKER)
    sync.wait_for_processed(campus, 50)
    valkey.flushall()
    ended = sync.wait_for_end(campus)
    with campus.app_context():
        assert ended["success"] == STUDENTS
        sync.check_numbers(ended)
    wait_until(lambda: valkey.get("sync_pembayaran_status") == b"completed", 30, "the mirror")


def test_two_workers_share_a_run(campus: Flask, payment_api: Simulator, start: Start) -> None:
    payment_api.set(latency_ms="1000")
    with campus.app_context():
        commands.start(TREASURER)
    start(*WORKER)
    sync.wait_for_processed(campus, 10)
    start(*WORKER)
    wait_until(lambda: sync.progress_of(campus)["workers"] == 2, 30, "two lanes")
    payment_api.set(latency_ms="50")
    ended = sync.wait_for_end(campus)
    assert ended["success"] == STUDENTS
    assert max(s["answered"] for s in payment_api.students().values()) == 1
