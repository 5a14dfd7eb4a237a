"""The job of one student on request, when no lane saw to it: the same care, the same writing."""

import asyncio
import secrets
import time

from flask import current_app
from sqlalchemy import delete, exists, select

from myukm import stopping
from myukm.database import write
from myukm.domain.api.asking import Asking
from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.student import Outcome, Student
from myukm.domain.sync import student_requests
from myukm.domain.sync.student_desk import StudentDesk, ask
from myukm.extensions import db
from myukm.models import Siswa, SyncRequest

LONGEST_SECONDS, BEAT_SECONDS, GLANCE_SECONDS = 120.0, 1.0, 0.02


def sync(idperson: str, *, requested: bool) -> str:
    """Fetch and store one student's payments; return success, unchanged, failed or gone.

    What came of it is told as the event `sync.siswa`. `requested`: there was a row, and when it is
    not there to be claimed any more, another one sees to it ("taken").
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        with write() as session:
            session.execute(delete(SyncRequest).where(SyncRequest.idperson == idperson))
        return "gone"
    if not requested:
        student_requests.add(idperson)
    desk = StudentDesk(secrets.token_hex(16))
    if students := desk.claim(idperson):
        asyncio.run(_work(desk, students))
    return desk.results.get(idperson, "taken")


async def _work(desk: StudentDesk, students: list[Student]) -> None:
    """Ask with the patience of a run, but for two minutes at most.

    An error leaves the request as it is: the watch frees it, and counts it.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    async with Asking(current_app.config, width=1) as asking:
        while desk.in_hand and not stopping.requested.is_set():
            ask(asking, students)
            await _until_turn(asking)
            failure = _failure(asking, deadline)
            lost = [Outcome.of(student, failure) for student in asking.open.values() if failure]
            students = desk.turn([*asking.take_done(), *lost])
    desk.close()


async def _until_turn(asking: Asking) -> None:
    due = time.monotonic() + BEAT_SECONDS
    while time.monotonic() < due and not stopping.requested.is_set():
        asking.check()
        asking.judge.review(idle=asking.idle)
        if asking.has_done or asking.judge.refused:
            return
        await asyncio.sleep(GLANCE_SECONDS)


def _failure(asking: Asking, deadline: float) -> Failure | None:
    """Return why no answer is waited for any more."""
    if asking.judge.refused:
        return Failure("client_error", Kind.FINAL, http=401)
    return Failure("timeout", Kind.FINAL) if time.monotonic() > deadline else None
