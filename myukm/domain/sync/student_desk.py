"""The database as a lane, or the job of a single student, uses it for requested students.

An answer is written as in a run: guarded, with its tag, in one transaction with the end of its
request, and only while the request is still ours.
"""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session

from myukm.database import among, write
from myukm.domain.api.asking import Asking
from myukm.domain.api.student import Outcome, Student
from myukm.domain.sync import guard, outcomes, student_requests, sync_queue
from myukm.i18n import campus_language
from myukm.models import SyncRequest

MAX_CLAIMED = 20


class StudentDesk:
    """The requests of one `holder`.

    `in_hand` are those that it has claimed; while there are any it has to call `turn` at least
    once a second, which shows that it lives. `results` says what became of the students.
    """

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self.in_hand: set[int] = set()
        self.results: dict[str, str] = {}

    def turn(self, answered: Sequence[Outcome], *, claim: bool = False) -> list[Student]:
        """Write what was answered, and return whom to ask: once more, or newly claimed."""
        again = self._write(answered) if answered else []
        if self.in_hand:
            with write() as session:
                session.execute(self._ours().values(beat=SyncRequest.beat + 1))
        return [*again, *(self.claim() if claim else [])]

    def claim(self, idperson: str | None = None) -> list[Student]:
        """Claim requests that nobody holds (or just this student's) and return whom to ask."""
        query = select(SyncRequest.id, SyncRequest.idperson, SyncRequest.doubt)
        query = query.where(SyncRequest.holder.is_(None)).order_by(SyncRequest.id)
        if idperson is not None:
            query = query.where(SyncRequest.idperson == idperson)
        with write() as session:
            query = query.limit(MAX_CLAIMED).with_for_update(skip_locked=True)
            students = [_student(*row) for row in session.execute(query)]
            ids = [student.item_id for student in students]
            if ids:
                claimed = update(SyncRequest).where(among(SyncRequest.id, ids))
                session.execute(claimed.values(holder=self._holder))
        self.in_hand.update(ids)
        return students

    def close(self) -> None:
        """Give back what is not done."""
        if self.in_hand:
            with write() as session:
                session.execute(self._ours().values(holder=None))
            self.in_hand.clear()

    def _ours(self) -> Update:
        ours = SyncRequest.holder == self._holder
        return update(SyncRequest).where(among(SyncRequest.id, self.in_hand), ours)

    def _write(self, answered: Sequence[Outcome]) -> list[Student]:
        """Write these answers and return the students to ask once more before one is believed."""
        with write() as session:
            written = outcomes.take_in(session, None, self._still_ours(session, answered))
            held = [outcome for outcome in written.outcomes if outcome.code == guard.CODE]
            done = {o.item_id: o for o in written.outcomes if o.code != guard.CODE}
            _doubt(session, held)
            results = {o.idperson: _end(session, o, written.changed) for o in done.values()}
        self.results |= results
        self.in_hand -= {o.item_id for o in answered} - {o.item_id for o in held}
        sync_queue.withdraw_students(done)
        return [_student(o.item_id, o.idperson, o.message) for o in held]

    def _still_ours(self, session: Session, answered: Sequence[Outcome]) -> list[Outcome]:
        by_id = {outcome.item_id: outcome for outcome in answered}
        ours = (among(SyncRequest.id, by_id), SyncRequest.holder == self._holder)
        query = select(SyncRequest.id).where(*ours).order_by(SyncRequest.id).with_for_update()
        return [by_id[request_id] for request_id in session.scalars(query)]


def ask(asking: Asking, students: Sequence[Student]) -> None:
    """Ask for students; those of whom an answer was held back after a pause."""
    asking.give(student for student in students if student.doubt is None)
    doubted = (student for student in students if student.doubt is not None)
    asking.give(doubted, after=guard.PAUSE.total_seconds())


def _student(request_id: int, idperson: str, doubt: str | None) -> Student:
    return Student(request_id, idperson, doubt=doubt, requested=True)


def _doubt(session: Session, held: Sequence[Outcome]) -> None:
    for outcome in held:
        doubted = update(SyncRequest).where(SyncRequest.id == outcome.item_id)
        session.execute(doubted.values(doubt=outcome.message))


def _end(session: Session, outcome: Outcome, changed: Mapping[str, object]) -> str:
    """End a request, publish what became of its student, and return that in a word."""
    session.execute(delete(SyncRequest).where(SyncRequest.id == outcome.item_id))
    result = "success" if outcome.idperson in changed else "unchanged"
    if outcome.code:
        result = "failed"
    message = outcome.message or _words(result)
    student_requests.publish(outcome.idperson, result, outcome.code, message)
    return result


def _words(result: str) -> str:
    with campus_language():
        if result == "unchanged":
            return str(_("Data pembayaran sudah yang terbaru."))
        return str(_("Data pembayaran diperbarui."))
