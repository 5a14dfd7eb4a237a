"""What an answer means for its student: done, failed, once more, or wait and see."""

import random
from collections.abc import Callable

from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.payments import Answer
from myukm.domain.api.student import Outcome, Student
from myukm.domain.api.throttle import WINDOW, Throttle

FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
MOST_WAITED = 600.0
MOST_STRIKES = 3
FORBIDDEN_IN_A_ROW = 10


class Judge:
    """Judges answers; settled students go to `settle`, others `again` after some seconds.

    `refused` becomes the code of why the run must pause: the API refuses our token.
    """

    def __init__(
        self,
        throttle: Throttle,
        tries: int,
        settle: Callable[[Outcome], None],
        again: Callable[[Student, float], None],
    ) -> None:
        self._throttle, self._most_tries = throttle, tries
        self._settle, self._again = settle, again
        self._suspects: list[tuple[Student, Failure, int]] = []
        self._forbidden: list[tuple[Student, Failure]] = []
        self.refused: str | None = None

    @property
    def held(self) -> int:
        """How many students wait for what others bring to light."""
        return len(self._suspects) + len(self._forbidden)

    def hear(self, student: Student, answer: Answer, openings: int) -> None:
        """Judge the answer to a request that was sent under `openings` of the breaker."""
        failure = answer if isinstance(answer, Failure) else None
        kind = failure.kind if failure else Kind.FINAL
        fresh = not student.tries and not student.strikes
        self._throttle.report(failure, openings, fresh=fresh)
        if kind is not Kind.WAIT:
            student.attempts += 1
        if failure is None or kind is Kind.FINAL:
            self._settle(Outcome.of(student, answer))
            self._fail_forbidden()
        elif kind is Kind.WAIT:
            self._wait(student, failure)
        elif kind is Kind.RETRY:
            self._retry(student, failure, openings)
        elif kind is Kind.UNAUTHORIZED:
            self.refused = "unauthorized"
        else:
            self._forbid(student, failure)

    def review(self, *, idle: bool) -> None:
        """Decide about held students: by what came after them, or because nothing will (`idle`)."""
        suspects, self._suspects = self._suspects, []
        for student, failure, seen in suspects:
            if self._throttle.is_open:
                self._hit(student, failure)
            elif idle or self._throttle.reports - seen >= WINDOW:
                self._settle(Outcome.of(student, failure))
            else:
                self._suspects.append((student, failure, seen))
        if idle:
            self._fail_forbidden()

    def _wait(self, student: Student, failure: Failure) -> None:
        student.waited += failure.wait
        if student.waited > MOST_WAITED:
            self._settle(Outcome.of(student, failure))
        else:
            self._again(student, 0.0)

    def _retry(self, student: Student, failure: Failure, openings: int) -> None:
        if failure.down and (self._throttle.is_open or openings != self._throttle.openings):
            self._hit(student, failure)
            return
        if student.openings != openings:
            student.strikes += student.tries > 0
            student.tries, student.openings = 0, openings
        student.tries += 1
        if student.tries < self._most_tries:
            self._again(student, backoff(student.tries))
        elif failure.down:
            self._suspects.append((student, failure, self._throttle.reports))
        else:
            self._settle(Outcome.of(student, failure))

    def _hit(self, student: Student, failure: Failure) -> None:
        """It failed as the breaker opened: not its fault, unless that happens again and again."""
        student.strikes += 1
        student.tries = 0
        if student.strikes >= MOST_STRIKES:
            self._settle(Outcome.of(student, failure))
        else:
            self._again(student, 0.0)

    def _forbid(self, student: Student, failure: Failure) -> None:
        """One 403 speaks of its student, ten in a row of our token: hold it until that is clear."""
        self._forbidden.append((student, failure))
        if len(self._forbidden) >= FORBIDDEN_IN_A_ROW:
            self.refused = "forbidden"

    def _fail_forbidden(self) -> None:
        for student, failure in self._forbidden:
            self._settle(Outcome.of(student, failure))
        self._forbidden.clear()


def backoff(tries: int) -> float:
    """Return the seconds before the next try: twice as long each time, spread by half."""
    longest = min(FIRST_BACKOFF * 2.0 ** (tries - 1), LONGEST_BACKOFF)
    return longest * random.uniform(0.5, 1.5)  # noqa: S311 (spread, no secret)
