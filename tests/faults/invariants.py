"""The invariants of a run, checked during the run and after its end."""

import json
import threading
from typing import Any

import requests
from sqlalchemy import func, select

from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from tests.faults.campus import Campus

ENDED = ("completed", "cancelled", "failed")


class InvariantChecker(threading.Thread):
    """Requests the progress five times a second and collects broken promises in `broken`."""

    def __init__(self, campus: Campus, session: requests.Session) -> None:
        super().__init__(daemon=True)
        self.campus, self.session = campus, session
        self.broken: list[str] = []
        self.last: dict[str, Any] = {}
        self.ended = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Watch until the run ended."""
        while not self.ended.is_set() and not self.stopped.wait(0.2):
            try:
                answer = self.session.get(
                    f"{self.campus.url}/admin/sync-pembayaran/progress", timeout=10
                )
            except requests.RequestException:
                continue
            if answer.status_code == 200:
                self.check(answer.json())

    def check(self, now: dict[str, Any]) -> None:
        """Check the sums of a progress object, and that no count has become lower."""
        counted = now["success"] + now["failed"] + now["cancelled"]
        if now["total"] and now["total"] != now["pending"] + counted:
            self.broken.append(f"the sum is wrong: {now}")
        if now["unchanged"] > now["success"]:
            self.broken.append(f"more unchanged than successes: {now}")
        for name in ("total", "success", "failed", "cancelled", "unchanged"):
            if now["run_id"] == self.last.get("run_id") and now[name] < self.last[name]:
                self.broken.append(f"{name} went back from {self.last[name]} to {now[name]}")
        self.last = now
        if now["status"] in ENDED:
            self.ended.set()


def check_end(campus: Campus, run_id: int) -> list[str]:
    """Return the broken promises of an ended run: its counts, its items, and the stored data."""
    with campus.app.app_context():
        run = db.session.get(SyncRun, run_id, populate_existing=True)
        assert run
        rows = db.session.execute(
            select(SyncItem.status, func.count())
            .where(SyncItem.run_id == run_id)
            .group_by("status")
        )
        counted = dict(rows.all())
        stored = dict(db.session.execute(select(Siswa.idperson, Siswa.pembayaran)).all())
        succeeded = db.session.scalars(
            select(SyncItem.idperson).where(
                SyncItem.run_id == run_id, SyncItem.status.in_(("success", "unchanged"))
            )
        ).all()
        broken = [
            f"{name}: the run counts {in_run}, its items {in_items}"
            for name, in_run, in_items in (
                ("success", run.success, counted.get("success", 0) + counted.get("unchanged", 0)),
                ("unchanged", run.unchanged, counted.get("unchanged", 0)),
                ("failed", run.failed, counted.get("failed", 0)),
                ("cancelled", run.cancelled, counted.get("cancelled", 0)),
                ("total", run.total, sum(counted.values())),
            )
            if in_run != in_items
        ]
        if run.status not in ENDED:
            broken.append(f"the run is not over: {run.status}")
        if run.status == "completed" and run.total != len(stored):
            broken.append(f"the run had {run.total} of {len(stored)} students")
    broken += [
        f"{idperson}: the stored payments are not those of the API"
        for idperson in succeeded
        if as_text(stored[idperson]) != as_text(served(campus, idperson))
    ]
    return broken


def served(campus: Campus, idperson: str) -> Any:
    """Return the periods that the API serves for a student."""
    data = campus.simulator.expected(idperson)["data"]
    return data[0]["periods"] if data else []


def as_text(value: Any) -> str:
    """Return a JSON value in one comparable form."""
    return json.dumps(value, sort_keys=True)


def repeated_answers(campus: Campus) -> int:
    """Return how many right answers the API gave for students that already had a right answer."""
    counts = campus.simulator.students().values()
    return sum(max(0, student["answered"] - 1) for student in counts)
