"""An odd answer fails at most its own student, and a reported failure changes no data."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from devtools.sample import student
from devtools.simulator import Simulator
from myukm.domain.payment_api import retry_policy
from myukm.domain.sync import commands, dispatching, lane_job, lifecycle, progress, single_student
from myukm.extensions import db
from myukm.models import Siswa, SyncItem
from tests.conftest import every_database
from tests.support import sync
from tests.support.sync import TREASURER

IDS = [student(index)["idperson"] for index in range(40)]
FAILED = {"body": json.dumps({"success": False, "message": "Token kedaluwarsa", "data": []})}


@pytest.fixture
def campus(app: Flask, payment_api: Simulator) -> Any:
    """The app with 40 students, inside its context."""
    payment_api.set(latency_ms="0")
    app.config["PEMBAYARAN_API_TRIES"] = 2
    with app.app_context():
        sync.create_students(40)
        yield app


def run() -> dict[str, Any]:
    """Carry out a whole run in this process and return its progress."""
    run_id = commands.start(TREASURER)["run_id"]
    dispatching.dispatch(run_id)
    lane_job.run_lane(run_id)
    lifecycle.advance(run_id)
    db.session.rollback()
    return progress.current()


def serve(api: Simulator, given: dict[str, Any], *idpersons: str) -> None:
    """Let the API answer `given` about these students."""
    api.set(override={f"/payments/{idperson}": given for idperson in idpersons})


def stored() -> list[Any]:
    db.session.rollback()
    query = select(Siswa.idperson, Siswa.pembayaran, Siswa.tunggakan, Siswa.lunas)
    return list(db.session.execute(query.order_by(Siswa.id)))


def codes(run_id: int) -> dict[str, str | None]:
    query = select(SyncItem.idperson, SyncItem.code).where(SyncItem.run_id == run_id)
    return {idperson: code for idperson, code in db.session.execute(query) if code}


@pytest.mark.parametrize("count", [6, 40])
def test_students_whose_answer_reports_a_failure_keep_their_data(
    campus: Flask, payment_api: Simulator, count: int
) -> None:
    run()
    before = stored()
    serve(payment_api, FAILED, *IDS[:count])
    now = run()
    assert (now["status"], now["failed"], now["unchanged"]) == ("completed", count, 40 - count)
    assert codes(now["run_id"]) == dict.fromkeys(IDS[:count], "invalid_body")
    assert stored() == before


def test_a_reported_failure_marks_no_student_as_paid(campus: Flask, payment_api: Simulator) -> None:
    serve(payment_api, FAILED, *IDS[:3])
    assert run()["failed"] == 3
    assert single_student.sync(IDS[0], requested=False) == "failed"
    assert all((row.pembayaran, row.lunas) == (None, None) for row in stored()[:3])


@pytest.mark.parametrize(
    "header", ["Mon, 20 Nov 9999999999 12:00:00 GMT", "Mon, 20 Nov 2030 12:00:00 +" + "9" * 20]
)
def test_an_impossible_retry_after_fails_only_its_student(
    campus: Flask, payment_api: Simulator, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setattr(retry_policy, "MAX_WAITED_SECONDS", 1.5)
    odd = {"status": 429, "headers": {"Retry-After": header}, "body": "x"}
    serve(payment_api, odd, IDS[7])
    now = run()
    assert (now["status"], now["success"], now["failed"]) == ("completed", 39, 1)
    assert codes(now["run_id"]) == {IDS[7]: "client_error"}


@every_database
def test_an_answer_nested_deeper_than_databases_store_fails_its_student(
    campus: Flask, payment_api: Simulator
) -> None:
    payment_api.set(
        override={f"/payments/{i}": nested(i, d) for i, d in zip(IDS, (24, 25, 60), strict=False)}
    )
    now = run()
    assert (now["status"], now["success"]) == ("completed", 38)
    assert codes(now["run_id"]) == dict.fromkeys(IDS[1:3], "invalid_body")
    assert '"x"' in json.dumps(stored()[0].pembayaran)


@every_database
def test_no_value_of_an_unknown_field_stops_a_run(campus: Flask, payment_api: Simulator) -> None:
    odd = [
        "1e400",
        "-1e-400",
        "0e999999",
        "9" * 400,
        '"\\u0001\\uffff\\ud83d\\ude00"',
        '"%s"' % ("ñ" * 60000),
    ]
    odd += [
        "true",
        "null",
        "{}",
        '{"": {"": 1}}',
        '{"a": 1, "a": 2}',
        "NaN",
        '"\\ud800"',
        '"\\u0000"',
    ]
    payment_api.set(
        override={
            f"/payments/{i}": with_unknown_field(i, v) for i, v in zip(IDS, odd, strict=False)
        }
    )
    now = run()
    assert now["status"] == "completed"
    assert codes(now["run_id"]) == dict.fromkeys(IDS[11:14], "invalid_body")
    assert run()["unchanged"] == 37


def with_unknown_field(idperson: str, value: str) -> dict[str, Any]:
    """Return an answer for a student with an unknown field of this JSON value in several places."""
    page = nested(idperson, 6)
    body = page["body"].replace('["x"]', value).replace('"1"', f'"{"9" * 300}"')
    return {"body": body.replace('"periods"', f'"lain": {value}, "periods"')}


def nested(idperson: str, depth: int) -> dict[str, Any]:
    """Return an answer for a student with an unknown field, nested `depth` levels in all."""
    summary = {"total_billed": 0, "total_paid": 0, "total_remaining": 0, "fully_paid": True}
    deep = json.loads("[" * (depth - 5) + '"x"' + "]" * (depth - 5))
    period = {"period_id": "1", "summary": summary, "categories": [], "lain": deep}
    account = {"idperson": idperson, "saldo": 0, "periods": [period]}
    return {"body": json.dumps({"data": [account]})}
