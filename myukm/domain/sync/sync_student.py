"""One student on request: no run, the same care for the API and the same one transaction."""

import asyncio
import time

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import exists, select

from myukm import stopping
from myukm.database import write
from myukm.domain.api.asking import Asking
from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.student import Outcome, Student
from myukm.domain.sync import outcomes, payment_history
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.live import log
from myukm.models import Siswa

LONGEST_SECONDS, GLANCE_SECONDS = 120.0, 0.02


def sync(idperson: str) -> str:
    """Fetch and store one student's payments; return success, unchanged, failed or gone.

    What came of it is told as the event `sync.siswa`.
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        return "gone"
    outcome = asyncio.run(_ask(idperson))
    with write() as session:
        answers = {} if outcome.code else {idperson: outcome.payments}
        changed, known, fetched = outcomes.changes(session, answers)
        if answers.keys() - known:
            return "gone"
        payment_history.note(session, None, changed, payment_history.known(session, fetched))
        outcomes.store(session, changed)
        result = "failed" if outcome.code else "success" if changed else "unchanged"
        message = outcome.message or _words(result)
        told = {"idperson": idperson, "outcome": result, "code": outcome.code, "message": message}
        log.append("sync", "sync.siswa", told)
    return result


async def _ask(idperson: str) -> Outcome:
    """Ask with the patience of a run, but for two minutes at most."""
    student = Student(0, idperson)
    deadline = time.monotonic() + LONGEST_SECONDS
    async with Asking(current_app.config, width=1) as asking:
        asking.give([student])
        while time.monotonic() < deadline and not stopping.requested.is_set():
            asking.check()
            asking.judge.review(idle=asking.idle)
            if done := asking.take_done():
                return done[0]
            if asking.judge.refused:
                return Outcome.of(student, Failure("client_error", Kind.FINAL, http=401))
            await asyncio.sleep(GLANCE_SECONDS)
    return Outcome.of(student, Failure("timeout", Kind.FINAL))


def _words(result: str) -> str:
    with campus_language():
        if result == "unchanged":
            return str(_("Data pembayaran sudah yang terbaru."))
        return str(_("Data pembayaran diperbarui."))
