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
    API's name for the answer that we have.
    """

    item_id: int
    idperson: str
    strikes: int = 0
    waited: float = 0.0
    tries: int = 0
    attempts: int = 0
    openings: int = 0
    etag: str | None = None


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

    @classmethod
    def of(cls, student: Student, answer: Answer) -> Self:
        """Return the outcome that `answer` means for `student`."""
        key = (student.item_id, student.idperson, student.attempts)
        if isinstance(answer, Failure):
            return cls(*key, None, answer.code, message(answer))
        if isinstance(answer, Payments):
            return cls(*key, answer)
        return cls(*key, None, etag=student.etag)
