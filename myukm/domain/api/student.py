"""A student of a run in the hands of a lane, and what became of it."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from myukm.domain.api.failures import Failure, message
from myukm.domain.api.payments import Answer, Payments


@dataclass(slots=True)
class Student:
    """A claimed item and the patience spent on it.

    `tries` counts since the breaker last opened (`openings` says when that was), `attempts` in
    all; `strikes` and `waited` (seconds) are kept when the student is given back. `etag` is the
    API's name for the answer that we have. `doubt` says what an earlier answer would have taken
    away: it was not believed, and is asked for again. `requested`: a person waits for this one, who
    is asked for first; `item_id` is the request's.
    """

    item_id: int
    idperson: str
    strikes: int = 0
    waited: float = 0.0
    tries: int = 0
    attempts: int = 0
    openings: int = 0
    etag: str | None = None
    doubt: str | None = None
    requested: bool = False

    @property
    def key(self) -> tuple[bool, int]:
        """Tell students of a run and requested ones apart."""
        return self.requested, self.item_id


class Outcome(NamedTuple):
    """What became of a student: payments, or a failure's code and words, or neither: the data that
    we have under `etag` still stands."""

    item_id: int
    idperson: str
    attempts: int
    payments: Payments | None
    code: str | None = None
    message: str | None = None
    etag: str | None = None
    doubt: str | None = None
    requested: bool = False

    @property
    def key(self) -> tuple[bool, int]:
        """The key of its student."""
        return self.requested, self.item_id

    @classmethod
    def of(cls, student: Student, answer: Answer) -> Self:
        """Return the outcome that `answer` means for `student`."""
        key = (student.item_id, student.idperson, student.attempts)
        own = cls(*key, None, doubt=student.doubt, requested=student.requested)
        if isinstance(answer, Failure):
            return own._replace(code=answer.code, message=message(answer))
        if isinstance(answer, Payments):
            return own._replace(payments=answer)
        return own._replace(etag=student.etag)
