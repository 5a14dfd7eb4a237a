"""The history of payment changes: each change once, by run and by student."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.sync import commands, payment_history
from myukm.domain.sync.diff import compare
from myukm.extensions import db
from myukm.jobs.sync_pembayaran import sync_pembayaran_siswa
from myukm.models import PaymentChange, Siswa
from tests.conftest import every_database
from tests.jobs.conftest import STUDENTS
from tests.support import sync
from tests.support.sync import TREASURER

WORKER = ("rq", "worker", "sync-pembayaran")
Start = Callable[..., Any]


def run(campus: Flask, **options: Any) -> dict[str, Any]:
    with campus.app_context():
        commands.start(TREASURER, **options)
    return sync.wait_for_end(campus)


def changed_students(run_id: int) -> int:
    query = select(func.count(PaymentChange.idperson.distinct()))
    return db.session.scalar(query.where(PaymentChange.run_id == run_id)) or 0


def periods(api: Simulator, idperson: str) -> list[Any]:
    data = api.expected(idperson)["data"]
    return list(data[0]["periods"]) if data else []


@every_database
def test_each_change_is_recorded_once_with_its_old_and_new_value(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start(*WORKER)
    first = run(campus)
    with campus.app_context():
        kinds = select(PaymentChange.field, func.count()).group_by(PaymentChange.field)
        assert db.session.execute(kinds).all() == [("first", STUDENTS)]
        known = dict(db.session.execute(select(Siswa.idperson, Siswa.pembayaran)).all())  # type: ignore[arg-type]
    payment_api.advance(0.3)
    second = run(campus)
    with campus.app_context():
        assert changed_students(first["run_id"]) == STUDENTS
        assert changed_students(second["run_id"]) == second["success"] - second["unchanged"] > 50
        rows = payment_history.csv_of_run(second["run_id"])
        recorded = list(csv.DictReader(io.StringIO("".join(rows).removeprefix("\ufeff"))))
    one = recorded[0]["idperson"]
    expected = compare(known[one], periods(payment_api, one))
    mine = [row for row in recorded if row["idperson"] == one and row["field"] != "saldo"]
    assert [(c.period_id, c.field, c.old or "", c.new or "") for c in expected] == [
        (row["period_id"], row["field"], row["old"], row["new"]) for row in mine
    ]


@every_database
def test_a_dry_run_records_what_would_change_and_writes_no_student(
    campus: Flask, payment_api: Simulator, start: Start
) -> None:
    start(*WORKER)
    run(campus)
    payment_api.advance(["100001", "100002", "100003", "100004"])
    with campus.app_context():
        before = db.session.execute(select(Siswa.__table__)).all()
        count_before = payment_history.of_student("100002").total
    dry_run = run(campus, dry_run=True)
    with campus.app_context():
        sync.check_numbers(dry_run)
        assert db.session.execute(select(Siswa.__table__)).all() == before
        planned = payment_history.of_run(dry_run["run_id"]).items
        assert all(row.dry_run for row in planned)
        assert payment_history.of_student("100002").total == count_before
    done = run(campus)
    with campus.app_context():
        assert done["unchanged"] == dry_run["unchanged"]
        applied = payment_history.of_run(done["run_id"]).items
        assert not payment_history.of_run(done["run_id"], "'").items
    assert applied
    assert [(r.idperson, r.field, r.old, r.new) for r in applied] == [
        (r.idperson, r.field, r.old, r.new) for r in planned
    ]


def test_a_student_synced_outside_a_run_has_a_history(
    campus: Flask, payment_api: Simulator
) -> None:
    with campus.app_context():
        sync_pembayaran_siswa("100001")
        sync_pembayaran_siswa("100001")
        (only,) = payment_history.of_student("100001").items
        assert only.field == "first"
        assert only.run_id is None


def test_old_history_is_deleted_by_the_leader(campus: Flask) -> None:
    long_ago = utcnow() - timedelta(days=9000)
    about = {"idperson": "100001", "period_id": "", "field": "saldo"}
    with campus.app_context():
        with transaction() as session:
            session.add(PaymentChange(at=long_ago, **about))
            session.add(PaymentChange(**about))
        assert payment_history.prune() is False
        assert db.session.scalar(select(func.count(PaymentChange.id))) == 1
