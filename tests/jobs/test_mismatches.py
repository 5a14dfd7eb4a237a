"""Students whose figures disagree: counted once per run and reported in one line of its log."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from devtools.simulator import Simulator
from myukm.domain.sync import commands, dispatching, lane_job, lifecycle, run_log
from myukm.extensions import db
from myukm.models import Siswa
from tests.support import bills, sync
from tests.support.sync import TREASURER


@pytest.fixture
def disagreeing(payment_api: Simulator, app: Flask) -> list[str]:
    """The students whose figures disagree in the API's answers; the first has wrong sums."""
    served = payment_api.state()["options"]["students"]
    idpersons = [f"{100_001 + n}" for n in range(served)]
    wrong = payment_api.expected(idpersons[0])
    for period in wrong["data"][0]["periods"]:
        period["summary"]["total_billed"] = 1
    override = {f"/payments/{idpersons[0]}": {"body": json.dumps(wrong)}}
    payment_api.set(override=override)
    data = [payment_api.expected(idperson)["data"] for idperson in idpersons[1:]]
    periods = [account[0]["periods"] if account else [] for account in data]
    found = [
        idperson
        for idperson, one in zip(idpersons[1:], periods, strict=True)
        if bills.truth(one).tidak_cocok
    ]
    return [idpersons[0], *found]


def run(campus: Flask, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Carry a run out in this process; return its progress and its log lines about figures."""
    with campus.app_context():
        run_id = commands.start(TREASURER, **options)["run_id"]
        dispatching.dispatch(run_id)
        lane_job.run_lane(run_id)
        lifecycle.advance(run_id)
    now = sync.wait_for(campus, "completed")
    with campus.app_context():
        lines = [one for one in run_log.latest(run_id) if one["code"] == "tidak_cocok"]
    return now, [line["message"] for line in lines]


def test_students_whose_figures_disagree_are_counted_once_and_logged_in_one_line(
    campus: Flask, disagreeing: list[str]
) -> None:
    assert len(disagreeing) > 1
    expected = [
        f"Angka dari API tidak cocok pada {len(disagreeing)} siswa. "
        "Lihat daftar siswa dengan saringan “Angka tidak cocok”."
    ]
    first, log = run(campus, dry_run=True)
    assert (first["mismatched"], log) == (len(disagreeing), expected)
    with campus.app_context():
        assert not db.session.scalar(select(func.count()).where(Siswa.tidak_cocok.is_(True)))
    for unchanged in (0, first["success"]):
        now, log = run(campus)
        assert (now["mismatched"], log) == (len(disagreeing), expected)
        assert now["unchanged"] == unchanged
    with campus.app_context():
        marked = db.session.scalars(select(Siswa.idperson).where(Siswa.tidak_cocok.is_(True)))
        assert sorted(marked) == disagreeing
