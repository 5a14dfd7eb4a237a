"""Helpers of the sync's tests: students, waiting for a run, and checks of its numbers."""

from typing import Any

import requests
from flask import Flask
from sqlalchemy import func, insert, select

from devtools.sample import students
from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.sync import progress
from myukm.extensions import db
from myukm.models import Siswa, SyncItem
from myukm.models.sync import LIVE
from tests.support.waiting import wait_until

TREASURER = Actor("Budi Santoso")


def create_students(count: int) -> None:
    """Put the sample campus's first `count` students into the database, inside an app context."""
    rows: list[dict[str, Any]] = [
        {
            "idperson": student["idperson"],
            "nama": student["nama"],
            "search_text": student["nama"].casefold(),
            "active": True,
            **dict.fromkeys(("gender", "lahirtempat", "lahirtanggal", "phone"), ""),
            **dict.fromkeys(("unit_formal", "kelas_formal", "asrama_pondok"), ""),
            **dict.fromkeys(("kamar_pondok", "tingkat_diniyah", "kelas_diniyah"), ""),
        }
        for student in students(count)
    ]
    with transaction() as session:
        session.execute(insert(Siswa), rows)


def progress_of(app: Flask) -> dict[str, Any]:
    """Return the progress object as a new request would see it."""
    with app.app_context():
        return progress.current()


def wait_for(app: Flask, *statuses: str, timeout: float = 40.0) -> dict[str, Any]:
    """Wait until the run has one of these statuses and return its progress."""
    wait_until(lambda: progress_of(app)["status"] in statuses, timeout, f"status in {statuses}")
    return progress_of(app)


def wait_for_end(app: Flask, timeout: float = 60.0) -> dict[str, Any]:
    """Wait until the run has ended and return its progress."""
    wait_until(lambda: progress_of(app)["status"] not in LIVE, timeout, "the run has ended")
    return progress_of(app)


def wait_for_processed(app: Flask, count: int, timeout: float = 40.0) -> None:
    """Wait until `count` students are processed."""
    wait_until(lambda: progress_of(app)["processed"] >= count, timeout, f"{count} processed")


def adds_up(now: dict[str, Any]) -> bool:
    """Return whether a progress object's numbers fit together."""
    return (
        now["total"] == now["pending"] + now["success"] + now["failed"] + now["cancelled"]
        and now["processed"] == now["success"] + now["failed"]
        and now["unchanged"] <= now["success"]
        and min(value for value in now.values() if type(value) is int) >= 0
    )


def items(run_id: int) -> dict[str, int]:
    """Return how many items of the run have each status, inside an app context."""
    query = select(SyncItem.status, func.count()).where(SyncItem.run_id == run_id)
    return {str(status): number for status, number in db.session.execute(query.group_by("status"))}


def check_numbers(now: dict[str, Any]) -> None:
    """Assert that the run's numbers are those of its items, inside an app context."""
    db.session.rollback()
    found = items(now["run_id"])
    assert adds_up(now), now
    assert now["total"] == sum(found.values())
    assert now["success"] == found.get("success", 0) + found.get("unchanged", 0)
    assert now["unchanged"] == found.get("unchanged", 0)
    assert now["failed"] == found.get("failed", 0)
    assert now["cancelled"] == found.get("cancelled", 0)


def check_stored(simulator: Simulator, idpersons: list[str]) -> None:
    """Assert that these students' data is what the API serves, inside an app context."""
    db.session.rollback()
    query = select(Siswa).where(Siswa.idperson.in_(idpersons))
    for student in db.session.scalars(query.execution_options(populate_existing=True)):
        data = simulator.expected(student.idperson)["data"]
        assert student.pembayaran == (data[0]["periods"] if data else [])
        assert student.synced_at is not None


def load_roster(app: Flask, simulator: Simulator, *, refused: int, most: int | None = None) -> int:
    """Insert the API's first `most` students (None: all) and return their number.

    The API then answers 404 for the first `refused` of them.
    """
    roster = requests.get(f"{simulator.url}/siswa", timeout=10).json()["data"]
    ids = sorted(student["idperson"] for student in roster)[:most]
    simulator.set(fail={"404": ids[:refused]})
    with app.app_context(), transaction() as session:
        session.execute(insert(Siswa), [{"idperson": i, "nama": f"Siswa {i}"} for i in ids])
    return len(ids)
