"""Past runs: statistics, recorded actions, retry of one cause, retention."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import NullPool, create_engine, event, func, select

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.sync import commands, retention, run_history, throughput
from myukm.domain.sync.request_stats import of_run
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun, SyncSample, SyncTraffic
from myukm.ops.api_probe import UNKNOWN_STUDENT
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]
ClientAs = Callable[[str], FlaskClient]
UNKNOWN, BROKEN = ["100001", "100002", "100003"], ["100010", "100011"]


def run_with_failures(campus: Flask, api: Simulator, start: Start) -> dict[str, Any]:
    api.set(fail={"404": UNKNOWN, "500": BROKEN}, latency_ms="50")
    with campus.app_context():
        commands.start(TREASURER)
    start(*WORKER)
    return sync.wait_for_end(campus)


@every_database
def test_request_statistics_match_what_the_api_counted(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    ended = run_with_failures(campus, payment_api, start)
    with campus.app_context():
        figures = of_run(ended["run_id"])
        asked = payment_api.students()
        asked.pop(UNKNOWN_STUDENT, None)  # The periodic probe requests it, not the run.
        received = sum(student["asked"] for student in asked.values())
        assert figures.requests == received == STUDENTS + 2 * len(BROKEN)
        assert figures.retries == 2 * len(BROKEN)
        assert figures.limited == 0
        assert figures.received > 1000 * STUDENTS
        assert figures.p50 is not None
        assert figures.p95 is not None
        assert 45 < figures.p50 <= figures.p95
        actions = [(action.verb, action.actor_name) for action in activity.of_run(ended["run_id"])]
        assert actions == [("started", TREASURER.name), ("completed", None)]


def test_statistics_written_by_a_killed_lane_are_kept(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    payment_api.set(latency_ms="200..300")
    with campus.app_context():
        run_id = commands.start(TREASURER)["run_id"]
    worker = start(*WORKER)
    sync.wait_for_processed(campus, 100)
    worker.kill()
    payment_api.set(latency_ms="5")
    start(*WORKER)
    sync.wait_for_end(campus)
    with campus.app_context():
        with transaction() as session:
            session.add(SyncTraffic(lane_id="killed before its first turn", run_id=run_id))
        figures = of_run(run_id)
        assert STUDENTS <= figures.requests <= STUDENTS + 200
        assert figures.p50


def test_students_that_failed_for_one_cause_are_retried(
    campus: Flask, payment_api: Simulator, start: Start, client_as: ClientAs
) -> None:
    first = run_with_failures(campus, payment_api, start)
    with campus.app_context():
        causes = [(cause.code, cause.number) for cause in run_history.causes(first["run_id"])]
        assert causes == [("not_found", 3), ("server_error", 2)]
    payment_api.set(fail={"404": UNKNOWN}, latency_ms="5")
    treasurer = client_as("bendahara")
    address = "/admin/sync-pembayaran"
    answer = treasurer.post(f"{address}/retry-failed", json={"code": "server_error"})
    assert answer.status_code == 202
    again = sync.wait_for_end(campus)
    assert again["parent_run_id"] == first["run_id"]
    assert (again["total"], again["success"]) == (2, 2)
    with campus.app_context():
        first_run = run_history.run(first["run_id"])
        assert first_run["failed"] == 5
    older = {"failed_of": first["run_id"], "code": "not_found"}
    assert treasurer.post(f"{address}/start", json=older).status_code == 202
    assert sync.wait_for_end(campus)["failed"] == 3


def test_a_cause_without_its_run_starts_nothing(campus: Flask, client_as: ClientAs) -> None:
    """A script that forgets `failed_of` must not start a run over all students."""
    treasurer = client_as("bendahara")
    answer = treasurer.post("/admin/sync-pembayaran/start", json={"code": "timeout"})
    assert answer.status_code == 422
    assert sync.progress_of(campus)["status"] == "idle"


def test_an_unknown_cause_is_refused(campus: Flask, client_as: ClientAs) -> None:
    treasurer = client_as("bendahara")
    for code in (7, "", "x" * 100, ["not_found"], "no_such_cause"):
        for call, of in (("retry-failed", {}), ("start", {"failed_of": 1})):
            body = {**of, "code": code}
            answer = treasurer.post(f"/admin/sync-pembayaran/{call}", json=body)
            assert answer.status_code == 422, (call, code)
            assert answer.json is not None
            assert answer.json["error"]["code"] == "bad_code"


def test_pause_resume_and_cancel_are_recorded(campus: Flask) -> None:
    with campus.app_context():
        run_id = commands.start(TREASURER)["run_id"]
        commands.pause(TREASURER)
        commands.resume(TREASURER)
        commands.cancel(TREASURER)
        actions = [action.verb for action in activity.of_run(run_id)]
    assert actions == ["started", "paused", "resumed", "cancelling", "cancelled"]


def test_chart_and_average_leave_out_the_time_without_lanes(app: Flask) -> None:
    began = utcnow()
    with app.app_context():
        with transaction() as session:
            run = SyncRun(live=None, status="completed", started_at=began)
            session.add(run)
            session.flush()
            for second in (*range(10), *range(1000, 1010)):
                done = 100 * (second if second < 10 else second - 991)
                at = began + timedelta(seconds=second)
                session.add(SyncSample(run_id=run.id, at=at, processed=done, failed=done // 50))
        assert throughput.average(run.id) == 100
        points = throughput.chart_points(run.id, began)
        assert points[5] == [6.0, 100.0, 2.0]
        assert points[-1][0] == 1009
        assert points[9:12] == [[9.0, None, None], [1001.0, 100.0, 2.0], [1002.0, 100.0, 2.0]]


def test_the_chart_of_a_long_run_has_a_limited_number_of_points(app: Flask) -> None:
    began = utcnow()
    with app.app_context():
        with transaction() as session:
            run = SyncRun(live=None, status="completed", started_at=began)
            session.add(run)
            session.flush()
            for second in range(5000):
                at = began + timedelta(seconds=second)
                session.add(SyncSample(run_id=run.id, at=at, processed=second, failed=0))
        assert 100 < len(throughput.chart_points(run.id, began)) <= 240
        assert throughput.average(run.id) == 1


@every_database
def test_old_runs_keep_sums_and_failures_only(app: Flask) -> None:
    with app.app_context():
        with transaction() as session:
            runs = [SyncRun(status="completed", total=2, success=1, failed=1) for _ in range(22)]
            session.add_all(runs)
            session.flush()
            for run in runs:
                session.add(SyncItem(run_id=run.id, idperson="1", status="unchanged"))
                session.add(SyncItem(run_id=run.id, idperson="2", status="failed", code="timeout"))
                session.add(SyncSample(run_id=run.id, processed=2, failed=1))
        while retention.prune():
            pass
        assert _count(SyncItem.status == "failed") == 22
        assert _count(SyncItem.status == "unchanged") == 20
        assert db.session.scalar(select(func.count(SyncSample.id))) == 20
        oldest = run_history.run(runs[0].id)
        assert (oldest["total"], oldest["failed"]) == (2, 1)
        assert run_history.causes(runs[0].id)[0].number == 1


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_run_that_two_leaders_prune_at_once_is_pruned_completely(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FULL_RUNS_KEPT", 1)
    monkeypatch.setattr(retention, "CHUNK", 1)
    with app.app_context():
        with transaction() as session:
            runs = [SyncRun(status="completed") for _ in range(2)]
            session.add_all(runs)
            session.flush()
            for number in range(3):
                item = SyncItem(run_id=runs[0].id, idperson=str(number), status="unchanged")
                session.add(item)

        def other_leader_deletes_first(
            _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
        ) -> None:
            if statement.startswith("DELETE FROM sync_item"):
                with other_leader.begin() as other:
                    deleted.append(other.exec_driver_sql(statement, parameters).rowcount)

        deleted: list[int] = []
        other_leader = create_engine(db.engine.url, poolclass=NullPool)
        event.listen(db.engine, "before_cursor_execute", other_leader_deletes_first)
        while retention.prune():
            pass
        assert any(deleted)
        assert _count(SyncItem.run_id == runs[0].id) == 0


def test_many_failures_are_read_in_portions_without_an_open_transaction(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_history, "CHUNK", 2)
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Ani"))
            run = SyncRun(status="completed")
            session.add(run)
            session.flush()
            about = {"run_id": run.id, "status": "failed", "code": "timeout", "message": "Lama"}
            session.add_all(SyncItem(**about, idperson=str(n)) for n in range(1, 6))
        lines = list[str]()
        for line in run_history.failures_csv(run.id):
            assert len(lines) == 0 or not db.session().in_transaction()
            lines.append(line.strip())
    assert lines[1:] == ["1,Ani,timeout,Lama,0,"] + [f"{n},,timeout,Lama,0," for n in range(2, 6)]


def _count(which: Any) -> int:
    return db.session.scalar(select(func.count(SyncItem.id)).where(which)) or 0
