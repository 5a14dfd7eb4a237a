"""One round of the harness: a run of the sync with random faults."""

import random
import time
from dataclasses import dataclass, field

import requests
from sqlalchemy import insert

from myukm.db.session import transaction
from myukm.models import Siswa
from tests.faults.campus import Campus
from tests.faults.faults import FAULTS, cancel
from tests.faults.invariants import InvariantChecker, check_end, repeated_answers
from tests.support.waiting import wait_until

# Two promises. After the last fault a run ends within its normal time and MAX_SECONDS_TO_END. Each
# fault lets at most MAX_REPEATED_PER_FAULT right answers be requested again, because they were in
# flight or not committed.
MAX_SECONDS_TO_END, MAX_REPEATED_PER_FAULT = 60.0, 100
SECONDS_PER_STUDENT = 0.4 / 32
CANCELLED_SHARE = 0.2


@dataclass
class Round:
    """The result of one round."""

    broken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seconds_after_last_fault: float = 0.0
    repeated: int = 0
    logs: str = ""

    def summary(self) -> str:
        """Return the round in one line."""
        verdict = f"{len(self.broken)} BROKEN" if self.broken else "fine"
        return (
            f"{verdict}; {self.seconds:.0f} s, "
            f"{self.seconds_after_last_fault:.0f} s after the last fault; "
            f"{self.repeated} requested again; {', '.join(self.faults)}"
        )


def play(campus: Campus, rng: random.Random, faults: int) -> Round:
    """Start a run, inject `faults` faults, wait for its end, and check every promise."""
    played = Round()
    students = import_students(campus)
    session = campus.log_in("admin")
    answer = session.post(f"{campus.url}/admin/sync-pembayaran/start", timeout=10)
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["run_id"]
    observer = InvariantChecker(campus, session)
    observer.start()
    started = time.monotonic()
    chosen = rng.choices(FAULTS, k=faults)
    if rng.random() < CANCELLED_SHARE:
        chosen[-1] = cancel
    for fault in chosen:
        if observer.ended.wait(rng.uniform(1, 5)):
            break
        played.faults.append(fault.__name__)
        fault(campus, rng, observer.ended)
    last = time.monotonic()
    left = (observer.last.get("pending") or students) * SECONDS_PER_STUDENT
    if not observer.ended.wait(left + MAX_SECONDS_TO_END):
        played.broken.append(f"the run did not end: {observer.last}")
    played.seconds = time.monotonic() - started
    played.seconds_after_last_fault = time.monotonic() - last
    observer.stopped.set()
    observer.join()
    played.broken += observer.broken + check_end(campus, run_id)
    played.repeated = repeated_answers(campus)
    if played.repeated > MAX_REPEATED_PER_FAULT * len(played.faults):
        played.broken.append(f"{played.repeated} right answers were requested again")
    played.logs = campus.logs() if played.broken else ""
    return played


def import_students(campus: Campus) -> int:
    """Insert the API's students without payments into the database; return their number."""
    roster = requests.get(f"{campus.simulator.url}/siswa", timeout=30).json()["data"]
    with campus.app.app_context(), transaction() as session:
        session.execute(
            insert(Siswa), [{"idperson": s["idperson"], "nama": s["nama"]} for s in roster]
        )
    wait_until(campus.web_answers, 30, "the web server answers")
    return len(roster)
