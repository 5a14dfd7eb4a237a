"""A student synced on request: at once even during a run, once, and guarded as in a run."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.parser import parse
from myukm.domain.sync import (
    commands,
    payment_history,
    queueing,
    student_requests,
    student_state,
    student_watchdog,
)
from myukm.domain.sync.student_store import StudentStore
from myukm.errors import Unavailable
from myukm.extensions import connect_valkey, db
from myukm.jobs.sync_pembayaran import sync_pembayaran_siswa
from myukm.live.event_log import Event
from myukm.models import Activity, Siswa, SyncRequest
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import SYNC
from tests.conftest import every_database
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey
from tests.support.workers import job_process, kill

WORKER = ("rq", "worker", "sync-pembayaran")
LAST = "100600"
EMPTY = b'{"data": []}'
Start = Callable[..., Any]


def outcomes(idperson: str) -> list[dict[str, Any]]:
    """Return the events about a student, inside an app context."""
    db.session.rollback()
    query = select(Event.data).where(Event.type == "sync.siswa").order_by(Event.seq)
    published = [json.loads(data) for data in db.session.scalars(query)]
    return [line for line in published if line["idperson"] == idperson]


def wait_for_outcome(idperson: str, timeout: float = 20) -> dict[str, Any]:
    return wait_until(lambda: outcomes(idperson), timeout, f"outcome of {idperson}")[0]


def requests() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(SyncRequest.id))) or 0


def holder() -> str | None:
    db.session.rollback()
    return db.session.scalar(select(SyncRequest.holder))


def stored(idperson: str) -> Any:
    db.session.rollback()
    query = select(Siswa.pembayaran, Siswa.saldo, Siswa.tunggakan, Siswa.etag)
    return db.session.execute(query.where(Siswa.idperson == idperson)).one()


@pytest.fixture
def quiet(app: Flask) -> Flask:
    """The app with its students, without periodic tasks, which would act in the background."""
    with app.app_context():
        sync.create_students(600)
    return app


@pytest.fixture
def indebted(quiet: Flask, payment_api: Simulator) -> str:
    """A student with stored bills."""
    with quiet.app_context():
        for number in range(100001, 100020):
            assert sync_pembayaran_siswa(str(number)) == "success"
            if stored(str(number)).pembayaran:
                return str(number)
    raise AssertionError("nobody has bills")


@pytest.mark.timing("one student's answer comes within 3 s of the API's")
@pytest.mark.parametrize(
    ("latency", "rps", "api_seconds"),
    [("50..500", None, 0.5), ("50..500", "20", 0.5), ("1500..2500", None, 2.5)],
    ids=["usual", "with a budget", "slow"],
)
def test_a_requested_student_is_synced_at_once_during_a_run(
    campus: Flask,
    payment_api: Simulator,
    start: Start,
    latency: str,
    rps: str | None,
    api_seconds: float,
) -> None:
    payment_api.set(latency_ms=latency)
    start(*WORKER, **({"PEMBAYARAN_API_RPS": rps} if rps else {"PEMBAYARAN_API_CONCURRENCY": "8"}))
    with campus.app_context():
        commands.start(TREASURER)
        sync.wait_for_processed(campus, 10)
        requested_at = time.monotonic()
        commands.sync_student_later(TREASURER, LAST)
        assert wait_for_outcome(LAST)["outcome"] == "success"
        took = time.monotonic() - requested_at
        assert sync.progress_of(campus)["status"] == "running"
        assert took < 3 + api_seconds, took
        print(f"{latency} ms: {took:.2f} s")
        wait_until(lambda: not queueing.is_student_queued(1), 5, "its job is removed")
        commands.cancel(TREASURER)
        ended = sync.wait_for_end(campus)
        sync.check_numbers(ended)
        sync.check_stored(payment_api, [LAST])
        assert payment_history.of_student(LAST).total == 1


@every_database
def test_simultaneous_requests_for_a_student_become_one(
    quiet: Flask, payment_api: Simulator
) -> None:
    barrier, jobs = Barrier(4, timeout=30), []

    def press() -> None:
        with quiet.app_context():
            barrier.wait()
            jobs.append(commands.sync_student_later(TREASURER, LAST))

    threads = [Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with quiet.app_context():
        assert requests() == 1
        assert set(jobs) <= set(get_queue(SYNC).get_job_ids())
        lines = db.session.scalars(select(Activity).where(Activity.action == "sync.student")).all()
        assert [(line.actor_name, line.subject) for line in lines] == [(TREASURER.name, LAST)] * 4


def test_a_repeated_request_without_valkey_keeps_the_first_one(
    quiet: Flask, payment_api: Simulator, valkey: Any, start: Start
) -> None:
    with quiet.app_context():
        commands.sync_student_later(TREASURER, LAST)
        address = quiet.config["REDIS_URL"]
        lose_valkey(quiet)
        commands.sync_student_later(TREASURER, LAST)
        assert requests() == 1
        with pytest.raises(Unavailable):
            commands.sync_student_later(TREASURER, "100001")
        assert requests() == 1
        quiet.config["REDIS_URL"] = address
        connect_valkey(quiet)
        start(*WORKER, "--burst").child.wait(30)
        assert [line["outcome"] for line in outcomes(LAST)] == ["success"]


def test_a_job_sends_no_request_if_a_lane_has_claimed_the_student(
    quiet: Flask, payment_api: Simulator, start: Start
) -> None:
    with quiet.app_context():
        commands.sync_student_later(TREASURER, LAST)
        lane = StudentStore("a lane")
        (student,) = lane.claim()
        start(*WORKER, "--burst").child.wait(30)
        assert outcomes(LAST) == []
        answer = parse(json.dumps(payment_api.expected(LAST)).encode(), LAST)
        assert lane.flush_and_claim([student.complete(answer)]) == []
        assert [line["outcome"] for line in outcomes(LAST)] == ["success"]
        assert requests() == 0
        assert payment_api.state()["requests"] == 0


def test_a_requested_student_of_a_killed_lane_is_synced_by_the_next_lane(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    payment_api.set(latency_ms="1500..2500")
    first = start(*WORKER)
    with campus.app_context():
        commands.start(TREASURER)
        sync.wait_for_processed(campus, 1)
        commands.sync_student_later(TREASURER, LAST)
        wait_until(holder, 30, "a lane has it")
        kill(job_process(first.child.pid), 9)
        first.kill()
        payment_api.set(latency_ms="10")
        start(*WORKER)
        # "unchanged" if the run has synced the student before.
        assert wait_for_outcome(LAST, 40)["outcome"] != "failed"
        sync.wait_for_end(campus)
        assert len(outcomes(LAST)) == 1
        assert payment_history.of_student(LAST).total == 1


def test_a_request_whose_job_valkey_lost_is_queued_again(
    campus: Flask, payment_api: Simulator, valkey: Any, start: Start
) -> None:
    with campus.app_context():
        commands.sync_student_later(TREASURER, LAST)
        valkey.flushall()
        start(*WORKER)
        assert wait_for_outcome(LAST, 60)["outcome"] == "success"


def test_a_requested_student_is_synced_while_the_run_is_paused(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start(*WORKER, PEMBAYARAN_API_RPS="50")
    with campus.app_context():
        commands.start(TREASURER)
        sync.wait_for_processed(campus, 10)
        commands.pause(TREASURER)
        commands.sync_student_later(TREASURER, LAST)
        assert wait_for_outcome(LAST, 60)["outcome"] == "success"
        assert sync.progress_of(campus)["status"] == "paused"


@every_database
def test_an_empty_answer_about_a_requested_student_is_fetched_again(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    payment_api.set(flaky={"empty": [indebted]})
    payment_api.reset()
    with quiet.app_context():
        before = stored(indebted)
        assert sync_pembayaran_siswa(indebted) == "unchanged"
        assert stored(indebted) == before
        assert payment_api.state()["outcomes"] == {"empty": 1, "200": 1}
        assert len(outcomes(indebted)) == 2
        payment_api.set(flaky={}, fail={"empty": [indebted]})
        assert sync_pembayaran_siswa(indebted) == "success"
        assert stored(indebted).pembayaran == []
        assert payment_api.state()["outcomes"] == {"empty": 3, "200": 1}
        assert requests() == 0


@every_database
def test_an_expired_holder_writes_nothing(
    quiet: Flask, payment_api: Simulator, indebted: str
) -> None:
    with quiet.app_context():
        before = stored(indebted)
        request_id, _new = student_requests.add(indebted)
        dead, successor = StudentStore("dead"), StudentStore("successor")
        (student,) = dead.claim()
        (again,) = dead.flush_and_claim([student.complete(parse(EMPTY, indebted))])
        assert again.doubt
        student_requests.expire_holder(request_id, "dead", 1)
        (student,) = successor.claim()
        assert student.doubt == again.doubt
        assert dead.flush_and_claim([again.complete(parse(EMPTY, indebted))]) == []
        assert stored(indebted) == before
        assert successor.flush_and_claim([student.complete(parse(EMPTY, indebted))]) == []
        assert stored(indebted).pembayaran == []
        assert [line["outcome"] for line in outcomes(indebted)][1:] == ["success"]
        assert dead.results == {}


def test_a_request_fails_after_three_lost_holders(quiet: Flask) -> None:
    """The watchdog expires each holder at once, because its timeout is 0 s."""
    watcher = student_watchdog.StudentWatchdog(0.0)
    with quiet.app_context():
        student_requests.add(LAST)
        for name in ("a", "b", "c"):
            assert outcomes(LAST) == []
            assert StudentStore(name).claim()
            watcher.watch()
        (published,) = outcomes(LAST)
        assert (published["outcome"], published["code"]) == ("failed", "jobs_fail")
        assert requests() == 0


def test_an_unchanged_answer_stores_its_etag_again(quiet: Flask, indebted: str) -> None:
    with quiet.app_context():
        before = stored(indebted)
        with transaction() as session:
            session.execute(
                update(Siswa).values(etag=None, etag_at=utcnow() - timedelta(days=9000))
            )
        assert sync_pembayaran_siswa(indebted) == "unchanged"
        assert stored(indebted) == before


def test_the_reason_why_a_requested_student_waits_is_shown(
    quiet: Flask, valkey: Any, start: Start
) -> None:
    with quiet.app_context():
        assert student_state.waits_for(LAST) is None
        request_id, _new = student_requests.add(LAST)
        assert student_state.waits_for(LAST).code == "no_worker"
        valkey.set("myukm:api:down", 1)
        assert student_state.waits_for(LAST).code == "api_down"
        valkey.delete("myukm:api:down")
        StudentStore("lane").claim()
        assert student_state.waits_for(LAST).code == "asking"
        with transaction() as session:
            session.execute(update(SyncRequest).values(doubt="tagihan Rp 5 menjadi Rp 0"))
        assert "Rp 5" in student_state.waits_for(LAST).text
        student_requests.expire_holder(request_id, "lane", 0)
